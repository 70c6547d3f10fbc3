"""`python -m tests.blocking` (or `make blocking`): who is reported for blocking the event loop, and who is not."""
