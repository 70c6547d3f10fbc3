"""`python -m tests.programs.bench.growth [CASE...]` (or `make bench-growth`): what a job costs when much grows.

More blocks, larger contexts and results, more jobs at once, longer queues; and what a worker costs that has nothing to
do. Each case starts its own engine and worker, and can be run by itself.
"""
