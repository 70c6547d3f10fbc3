"""The function blocks that ship with the worker."""
