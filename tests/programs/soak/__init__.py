"""`python -m tests.programs.soak` (or `make soak`): many jobs through one worker, and what that leaves in it."""
