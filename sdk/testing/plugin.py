"""The pytest plugin of the worker: fixtures, markers and one option for those who test blocks.

Loaded in every pytest run of an environment that has this package, so it imports nothing before it is needed.
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("neops").addoption(
        _IN_PROCESS,
        action="store_true",
        help="run function blocks in this process, for a debugger: no limits, no protection of the tests",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and have blocks that are written for `neops_worker_sdk` imported without it.

    Before pytest-asyncio, which comes with the extra `test`, tells each author who has no configuration to write one.
    """
    # pytest takes the filter back at its end. Fixtures and cases of blocks are plain functions.
    warnings.filterwarnings(
        "ignore", r'The configuration option "asyncio_default_fixture_loop_scope" is unset'
    )
    install_alias()
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> list[pytest.Item] | None:
    """Leave a block's case to the block's own module: one that imports everything of it has not got it twice."""
    if not (isinstance(obj, types.FunctionType) and "neops_block" in vars(obj)):
        return None
    return None if vars(collector.obj).get("__name__") == obj.__module__ else []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Have `-m asyncio` select the cases of blocks, whose jobs run on a loop.

    Only while tests are selected: to run, they are plain functions, of which pytest-asyncio would warn.
    """
    cases = [item for item in items if "neops_block" in vars(getattr(item, "function", None) or object)]
    for case in cases:
        case.add_marker("asyncio")
    yield
    for case in cases:
        case.own_markers[:] = [marker for marker in case.own_markers if marker.name != "asyncio"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the worker logged below a test that failed."""
    report = yield
    worker = getattr(item, "funcargs", {}).get("supervisor_process")
    if worker is not None and report.failed:
        report.sections.append(("Log of supervisor_process", worker.log))
    return report


@pytest.fixture(autouse=True)
def _host_keys_of_its_own() -> None:
    """Each test knows no host keys at its beginning: emulated devices are new ones, at ports that were used before."""
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
    """An engine of its own for the test: `job = dev_engine.wait_for_result(dev_engine.submit(MyBlock, params))`."""
    from sdk.testing.engine import EngineThread

    with EngineThread() as engine:
        yield engine


@pytest.fixture
def supervisor_settings(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Settings of `supervisor_process`. Override it to have others; as it is, the blocks beside the test are run."""
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
    # The worker runs in another directory. There `blocks` would be the package of this worker.
    settings["function_blocks"] = named_sources(parts_of(settings["function_blocks"]))
    # Not in the test's own directory, which is there by now: on the way to the worker's state, jobs can make nothing.
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
    """Two emulated IOS routers, `r1` and `r2`, which see each other by LLDP and CDP and have routes by OSPF.

    Real SSH on free ports of the loopback, made-up answers. New ones for each test. Needs the extra `emulator`.
    """
    from sdk.testing.devices import EmulatedLab

    with EmulatedLab.simple_iol() as devices:
        yield devices


@pytest.fixture(scope="session")
def simple_frr() -> Iterator[list[FrrDevice]]:
    """Three real FRR routers, `r1 - r2 - r3`, with OSPF, BGP and LLDP, reached by SSH at ports of the loopback.

    One lab for all tests of the run that ask for it. Skips them, with the reason, where it can't be had.
    """
    from sdk.testing.frr_lab import FrrLab, why_not

    if reason := why_not():
        pytest.skip(reason)
    with FrrLab() as routers:
        yield routers
