"""`python -m tests.programs.crashpoints` (or `make crashpoints`): a supervisor is killed at every step of a job's life
at which something becomes known, one run for each step, and started again; then every job must have exactly one result.
"""
