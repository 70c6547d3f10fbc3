"""The worker's pytest plugin: fixtures, markers and one option for people who test blocks.

Every pytest run in an environment with this package loads it, so it imports nothing before it is needed.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from sdk.compat.finder import install_alias

if TYPE_CHECKING:
    from pathlib import Path

    from sdk.testing.daemon import SupervisorProcess
    from sdk.testing.devices.lab import LabDevice
    from sdk.testing.engine import EngineThread
    from sdk.testing.frr_lab import FrrDevice
    from sdk.testing.runner import BlockRunner
    from sdk.testing.server import ServerProcess

_MARKERS = (
    "function_block: runs a function block in a process of its own; slower than a unit test",
    "remote_lab: runs a function block against the devices of a lab",
    "sdk: tests the SDK itself",
    "testing: tests what blocks are tested with",
    "asyncio: runs an event loop",
)

_IN_PROCESS = "--blocks-in-process"
_LOG_TITLE = "Log of supervisor_process"
_FAILED = pytest.StashKey[pytest.TestReport]()
"""The report of a test that failed while its worker still ran."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("neops").addoption(
        _IN_PROCESS,
        action="store_true",
        help="run function blocks in this process, for a debugger: no limits, no protection of the tests",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and let blocks for `neops_worker_sdk` be imported without that package.

    This runs before pytest-asyncio (part of the extra `test`) asks every author without a configuration to write one.
    """
    # pytest removes the filter at its end. Fixtures and cases of blocks are plain functions.
    warnings.filterwarnings(
        "ignore", r'The configuration option "asyncio_default_fixture_loop_scope" is unset'
    )
    install_alias()
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> list[pytest.Item] | None:
    """Collect a block's case only in the block's own module: a module that imports it must not run it again."""
    if not (isinstance(obj, types.FunctionType) and "neops_block" in vars(obj)):
        return None
    return None if vars(collector.obj).get("__name__") == obj.__module__ else []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Make `-m asyncio` select the cases of blocks, because their jobs run on a loop.

    Only while tests are selected. They run as plain functions, and pytest-asyncio would warn about the marker.
    """
    cases = [item for item in items if "neops_block" in vars(getattr(item, "function", None) or object)]
    for case in cases:
        case.add_marker("asyncio")
    yield
    for case in cases:
        case.own_markers[:] = [marker for marker in case.own_markers if marker.name != "asyncio"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the worker logged up to its end, below a test that failed."""
    report = yield
    worker = getattr(item, "funcargs", {}).get("supervisor_process")
    if worker is None:
        return report
    failed = item.stash.get(_FAILED, None)
    if failed is not None:
        # Its last lines may have been on their way when the test failed. Now the worker has ended.
        failed.sections[:] = [each for each in failed.sections if each[0] != _LOG_TITLE]
        failed.sections.append((_LOG_TITLE, worker.log))
    elif report.failed:
        report.sections.append((_LOG_TITLE, worker.log))
        item.stash[_FAILED] = report
    return report


@pytest.fixture(autouse=True)
def _host_keys_of_its_own() -> None:
    """Begin each test without known host keys: emulated devices are new, at ports that were used before."""
    from sdk.known_hosts import KnownHosts, use_known_hosts

    use_known_hosts(KnownHosts())


@pytest.fixture(scope="session")
def neops_block_server() -> Iterator[ServerProcess]:
    """The process that runs blocks; started by the first test that needs it. For `block_runner` only."""
    from sdk.testing.server import ServerProcess

    with ServerProcess() as server:
        yield server


@pytest.fixture
def block_runner(neops_block_server: ServerProcess, pytestconfig: pytest.Config) -> BlockRunner:
    """Runs function blocks as the worker does: `outcome = block_runner.run(MyBlock, params, context)`."""
    from sdk.testing.runner import BlockRunner

    return BlockRunner(neops_block_server, in_process=bool(pytestconfig.getoption(_IN_PROCESS)))


@pytest.fixture
def dev_engine() -> Iterator[EngineThread]:
    """A new engine for the test: `job = dev_engine.wait_for_result(dev_engine.submit(MyBlock, params))`."""
    from sdk.testing.engine import EngineThread

    with EngineThread() as engine:
        yield engine


@pytest.fixture
def supervisor_settings(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Settings of `supervisor_process`. Override it to change them. By default, the blocks beside the test are run."""
    return {"function_blocks": [request.path.parent]}


@pytest.fixture
def supervisor_process(
    dev_engine: EngineThread,
    supervisor_settings: Mapping[str, Any],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SupervisorProcess]:
    """A real worker, ready for the jobs of `dev_engine`. Its log is shown when the test fails."""
    from sdk.testing.daemon import SupervisorProcess, parts_of
    from sdk.testing.locations import named_sources

    settings: dict[str, Any] = {"function_blocks": ["entry-points"]}
    if dev_engine.token_file is not None:
        settings["engine_token_file"] = dev_engine.token_file
    settings |= supervisor_settings
    # The worker runs in another directory. There, `blocks` would mean this worker's package.
    settings["function_blocks"] = named_sources(parts_of(settings["function_blocks"]))
    # Not in the test's own directory, which exists already: on the way to the worker's state, jobs must create nothing.
    with SupervisorProcess(dev_engine.url, tmp_path_factory.mktemp("supervisor"), settings) as worker:
        yield worker


@pytest.fixture
def emulated_lab() -> Iterator[list[LabDevice]]:
    """Two emulated IOS devices, `r1` and `r2`, without a cable between them. Needs the extra `emulator`."""
    from sdk.testing.devices import EmulatedLab

    with EmulatedLab("r1", "r2") as devices:
        yield devices


@pytest.fixture
def simple_iol() -> Iterator[list[LabDevice]]:
    """Two emulated IOS routers, `r1` and `r2`. They see each other by LLDP and CDP, and have routes by OSPF.

    Real SSH on free ports of the loopback, made-up answers. Each test gets new ones. Needs the extra `emulator`.
    """
    from sdk.testing.devices import EmulatedLab

    with EmulatedLab.simple_iol() as devices:
        yield devices


@pytest.fixture(scope="session")
def simple_frr() -> Iterator[list[FrrDevice]]:
    """Three real FRR routers, `r1 - r2 - r3`, with OSPF, BGP and LLDP, reached by SSH at ports of the loopback.

    All tests of the run that ask for it share one lab. It skips them, with the reason, if the lab is impossible here.
    """
    from sdk.testing.frr_lab import FrrLab, why_not

    if reason := why_not():
        pytest.skip(reason)
    with FrrLab() as routers:
        yield routers
