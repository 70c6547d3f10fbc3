"""The pytest plugin of the worker."""
