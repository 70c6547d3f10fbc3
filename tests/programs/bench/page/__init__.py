"""`python -m tests.programs.bench.page` (or `make bench-page`): measure everything, and write `docs/benchmarks.md`.

What was measured is kept in `measured.json`. The page and its pictures are made of that alone, so that a test can tell
whether they are as the command writes them, and words can be changed without measuring anew (`--from-kept`).
"""
