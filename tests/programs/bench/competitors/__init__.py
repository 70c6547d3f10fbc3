"""`python -m tests.programs.bench.competitors` (or `make bench-competitors`): this worker beside others, in turn.

A process spawned for each job, `concurrent.futures` with one task for each child, and the worker of `neops_worker_sdk`
at its defaults and at its fastest settings: all against the same embedded engine, with the same blocks. Beside the
figures stands what each makes of blocks that hang, crash or leave something behind, which is measured too.
"""
