"""What a job's end means. Pure: no I/O, no clock, no asyncio.

`decide` is the table; `Ending` is the evidence; `Verdict` is the answer for the engine and the operator. `refusals` are
the verdicts of jobs that were not run. Every cause gets its text and its `retryable` in this package.
"""

from supervisor.verdict.changes import MOST_TOLD, NO_CHANGES, OpenChange, OpenChanges
from supervisor.verdict.ending import (
    Ending,
    ExitStatus,
    KernelView,
    OutcomeSeen,
    OutOfMemory,
    Unwatched,
    Usage,
)
from supervisor.verdict.limits import LimitHit, LimitKind, Limits
from supervisor.verdict.table import decide
from supervisor.verdict.verdict import Cause, Verdict

__all__ = [
    "MOST_TOLD",
    "NO_CHANGES",
    "Cause",
    "Ending",
    "ExitStatus",
    "KernelView",
    "LimitHit",
    "LimitKind",
    "Limits",
    "OpenChange",
    "OpenChanges",
    "OutOfMemory",
    "OutcomeSeen",
    "Unwatched",
    "Usage",
    "Verdict",
    "decide",
]
