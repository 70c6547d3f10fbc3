"""Sets up the worker's own log, and formats its lines."""
