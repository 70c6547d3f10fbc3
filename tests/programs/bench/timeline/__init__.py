"""`python -m tests.programs.bench.timeline` (or `make bench-timeline`): where the milliseconds of one job go.

The marks are set from outside: `inside/marked_worker.py` puts them around the worker's functions before it starts it,
and `marked_blocks/marked.py` does so in the process that children are forked from. The worker's own code has none.
"""
