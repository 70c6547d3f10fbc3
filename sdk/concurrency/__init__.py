"""How a block does several things at once without holding up its event loop.

Each name is loaded when it is first used, as in `sdk`.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sdk.concurrency.detection import BlockingDetector
    from sdk.concurrency.parallel import run_parallel
    from sdk.concurrency.tasks import schedule_task
    from sdk.concurrency.threads import run_in_thread

# No module here may have the name of what it defines: its import would replace the name by the module.
_HOMES: Final = {
    "BlockingDetector": "sdk.concurrency.detection",
    "run_in_thread": "sdk.concurrency.threads",
    "run_parallel": "sdk.concurrency.parallel",
    "schedule_task": "sdk.concurrency.tasks",
}

__all__ = ["BlockingDetector", "run_in_thread", "run_parallel", "schedule_task"]


if not TYPE_CHECKING:
    # Hidden from type checkers. They would believe that this module has any name, even a misspelt one.
    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
