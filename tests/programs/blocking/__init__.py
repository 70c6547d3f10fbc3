"""`python -m tests.programs.blocking` (or `make blocking`): who is reported for blocking the loop, and who is not."""
