"""Parallel calls."""

from sdk.compat.migration_hints import refusing
from sdk.concurrency import run_parallel

__all__ = ["run_parallel"]

__getattr__ = refusing(__name__)
