"""Threads, parallel calls and tasks."""

# From the files and not from sdk: two of them have the name of what they hold, and importing one later would put the
# module in the function's place.
from sdk.compat.migration_hints import refusing

from .detection import BlockingDetector
from .run_in_thread import run_in_thread
from .run_parallel import run_parallel
from .tasks import schedule_task

__all__ = ["BlockingDetector", "run_in_thread", "run_parallel", "schedule_task"]

__getattr__ = refusing(__name__)
