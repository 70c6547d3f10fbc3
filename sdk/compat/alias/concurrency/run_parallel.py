"""Parallel calls."""

from sdk.compat.ways_out import refusing
from sdk.concurrency import run_parallel

__all__ = ["run_parallel"]

__getattr__ = refusing(__name__)
