"""How the worker's own log is set up, and what a line of it looks like."""
