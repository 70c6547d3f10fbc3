"""Finds the function blocks: which modules there are, their import, and the catalogue of the result."""

from jobrunner.discovery.catalogue import discover

__all__ = ["discover"]
