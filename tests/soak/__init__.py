"""`python -m tests.soak` (or `make soak`): many jobs through one worker, and what that leaves in it."""
