"""`python -m tests.programs.bench` (or `make bench`): what this worker costs and how fast it is, against its targets.

A real supervisor in its own process tree, a real embedded engine in another process, loopback HTTP between them, the
journal on a disk. Each measurement starts its own engine and worker, so that none inherits the state of another.
"""
