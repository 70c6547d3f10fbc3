"""Tasks that run beside the block."""

from sdk.compat.migration_hints import refusing
from sdk.concurrency import schedule_task

__all__ = ["schedule_task"]

__getattr__ = refusing(__name__)
