"""Functions that run in a thread."""

from sdk.compat.ways_out import refusing
from sdk.concurrency import run_in_thread

__all__ = ["run_in_thread"]

__getattr__ = refusing(__name__)
