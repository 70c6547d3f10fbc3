"""`python -m tests.programs.bench.counts` (or `make bench-counts`): what a job costs, in figures without noise.

System calls, page faults, writes to the disk that are waited for, and processor time as a multiple of what a program
takes that always does the same. Each has a limit in `limits.toml`. Who is above one has to say why, or to do with less.
"""
