"""Finding the function blocks: which modules there are, importing them, and the catalogue of what came of it."""

from jobrunner.discovery.catalogue import discover

__all__ = ["discover"]
