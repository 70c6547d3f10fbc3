"""Doing several things at once in a block, without holding up its event loop.

Each name is loaded when it is first used, as those of `sdk` are.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sdk.concurrency.detection import BlockingDetector
    from sdk.concurrency.parallel import run_parallel
    from sdk.concurrency.tasks import schedule_task
    from sdk.concurrency.threads import run_in_thread

# No module here has the name of what it defines: importing it would put the module in that name's place.
_HOMES: Final = {
    "BlockingDetector": "sdk.concurrency.detection",
    "run_in_thread": "sdk.concurrency.threads",
    "run_parallel": "sdk.concurrency.parallel",
    "schedule_task": "sdk.concurrency.tasks",
}

__all__ = ["BlockingDetector", "run_in_thread", "run_parallel", "schedule_task"]


if not TYPE_CHECKING:
    # Hidden from type checkers: to them it would say that this module has any name, misspelt ones too.
    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
