"""The pytest plugin of the worker: the fixture ``block_runner``, and the markers that block authors use.

Loaded in every pytest run of an environment that has this package, so it imports nothing before it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sdk.testing.runner import BlockRunner
    from sdk.testing.server import ServerProcess

_MARKERS = (
    "function_block: runs a function block in a process of its own; slower than a unit test",
    "sdk: tests the SDK itself",
    "testing: tests what blocks are tested with",
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session")
def neops_block_server() -> Iterator[ServerProcess]:
    """The process that runs blocks; started by the first test that needs it. For `block_runner` only."""
    from sdk.testing.server import ServerProcess

    with ServerProcess() as server:
        yield server


@pytest.fixture
def block_runner(neops_block_server: ServerProcess) -> BlockRunner:
    """Runs function blocks as the worker does: ``outcome = block_runner.run(MyBlock, params, context)``."""
    from sdk.testing.runner import BlockRunner

    return BlockRunner(neops_block_server)
