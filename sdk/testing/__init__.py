"""Test tools for block authors, with or without pytest.

The fixture `block_runner` runs a block in a process of its own, under the limits of production. Outside of pytest,
`BlockRunner` does the same. `fb_test_case` declares a test above the block that it tests, and `fb_test_case_with_lab` a
test with the devices of a lab. The fixtures `dev_engine` and `supervisor_process` (`EngineThread`,
`SupervisorProcess`) are for tests of the whole way from a job to its result.

Every name is loaded when it is first used: every pytest run in an environment with this package loads the pytest
plugin, and most of those runs test something else.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sdk.testing.cases import fb_test_case, fb_test_case_with_lab
    from sdk.testing.contexts import create_workflow_context
    from sdk.testing.daemon import SupervisorProcess
    from sdk.testing.engine import EngineThread
    from sdk.testing.errors import BlockNotFoundError, HarnessError
    from sdk.testing.evidence import LogLine, Stall
    from sdk.testing.outcome import BlockOutcome
    from sdk.testing.runner import BlockRunner

_HOMES: Final = {
    "BlockNotFoundError": "sdk.testing.errors",
    "BlockOutcome": "sdk.testing.outcome",
    "BlockRunner": "sdk.testing.runner",
    "EngineThread": "sdk.testing.engine",
    "HarnessError": "sdk.testing.errors",
    "LogLine": "sdk.testing.evidence",
    "Stall": "sdk.testing.evidence",
    "SupervisorProcess": "sdk.testing.daemon",
    "create_workflow_context": "sdk.testing.contexts",
    "fb_test_case": "sdk.testing.cases",
    "fb_test_case_with_lab": "sdk.testing.cases",
}

__all__ = [
    "BlockNotFoundError",
    "BlockOutcome",
    "BlockRunner",
    "EngineThread",
    "HarnessError",
    "LogLine",
    "Stall",
    "SupervisorProcess",
    "create_workflow_context",
    "fb_test_case",
    "fb_test_case_with_lab",
]


if not TYPE_CHECKING:
    # Hidden from type checkers. They would believe that this module has any name, even a misspelt one.
    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)
