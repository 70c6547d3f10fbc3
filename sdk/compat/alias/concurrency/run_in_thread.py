"""Functions that run in a thread."""

from sdk.compat.migration_hints import refusing
from sdk.concurrency import run_in_thread

__all__ = ["run_in_thread"]

__getattr__ = refusing(__name__)
