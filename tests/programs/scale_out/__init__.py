"""`python -m tests.programs.scale_out` (or `make scale-out`): many workers on one engine, some of them killed."""
