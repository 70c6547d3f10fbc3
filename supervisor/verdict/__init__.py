"""What a job's end means. Pure: no I/O, no clock, no asyncio.

``decide`` is the table; ``Ending`` is what was observed; ``Verdict`` is what the engine and the operator are told.
"""

from supervisor.verdict.causes import Cause
from supervisor.verdict.ending import (
    Ending,
    ExitStatus,
    KernelView,
    LimitHit,
    LimitKind,
    OutcomeSeen,
    OutOfMemory,
    Unwatched,
    Usage,
)
from supervisor.verdict.table import Verdict, decide

__all__ = [
    "Cause",
    "Ending",
    "ExitStatus",
    "KernelView",
    "LimitHit",
    "LimitKind",
    "OutOfMemory",
    "OutcomeSeen",
    "Unwatched",
    "Usage",
    "Verdict",
    "decide",
]
