"""Blocks written for `neops_worker_sdk`, run by its own worker and by ours, and compared."""
