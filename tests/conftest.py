"""What all tests share."""

import fcntl
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from supervisor.launcher import job_users, sweep
from supervisor.launcher.known_children import direct_children
from tests.capabilities import need
from tests.parallel import by_length, scheduler
from tests.patience import PATIENCE_SECONDS
from tests.processes import is_pure, started_processes

# pytest compiles each test module anew otherwise, in each parallel worker: half of the time of collecting them. What
# the tests start is not affected.
sys.dont_write_bytecode = False

# How long it takes to make an example says how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

TESTS = Path(__file__).parent
ROOT = TESTS.parent


@pytest.hookimpl(optionalhook=True)  # without the plugin, nobody knows it
def pytest_xdist_auto_num_workers() -> int:
    """Say how many workers `-n auto` is: a test waits for more than half of its time, and so does its processor."""
    return max(2, (os.cpu_count() or 1) * 5 // 2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Have what takes long begin first, where whole files are handed out."""
    return scheduler(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """Hear the signals that a shell has its background processes ignore: what the tests start would ignore them too.

    Not the process that only hands tests out: `nohup make test &` is to go on.
    """
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        for number, action in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, action)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the thousands of tests and all their modules from the garbage collector: they stay until the end.

    It would look through all of them again and again, for a tenth of the time of the tests that start no process.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of folders that start no process as `pure`. In a parallel worker, put them in order."""
    for item in items:
        if is_pure(item.path):
            item.add_marker("pure")
    if hasattr(config, "workerinput"):
        by_length(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, before any fixture is made, what needs more than this machine gives."""
    for marker in item.iter_markers("needs"):
        need(*marker.args)


@pytest.fixture(autouse=True)
def _starts_no_process_if_pure(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("pure") is None:
        yield
        return
    with started_processes() as started:
        yield
    assert started == [], (
        "a folder of tests that start processes is not for PURE_FOLDERS (tests/processes.py)"
    )


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], AbstractContextManager[None]]:
    """Keep what burdens the whole machine, and what judges the machine's timing, apart.

    Parallel workers of one run share the lock; everything else runs beside as ever.
    """
    # The parent: each parallel worker has a base of its own below the run's.
    lock = tmp_path_factory.getbasetemp().parent / "alone.lock"

    @contextmanager
    def holding() -> Iterator[None]:
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    return holding


@pytest.fixture
def machine_to_itself(alone: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """`alone` for the length of one test."""
    with alone():
        yield


@pytest.fixture(scope="session")
def built_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the backend's own interface, which works in its process's current folder."""
    target = tmp_path_factory.mktemp("wheel")
    program = f"from hatchling.build import build_wheel; print(build_wheel({str(target)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return target / built.stdout.split()[-1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test logged fit to travel.

    Some log half a surrogate pair on purpose, and parallel workers send their reports as UTF-8.
    """
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report


_spared: set[int] = set()


@pytest.fixture(scope="session", autouse=True)
def _has_sweepers_spare_children() -> None:
    """A sweeper that a test makes in this process would take the hosts of other tests for strays, and kill them.

    So would the cleaning up after a user, where that is the one of the tests. For the whole run, and never undone: what
    a module's fixtures made is swept after the last of its tests.
    """
    for module in (sweep, job_users):
        module.direct_children = lambda: direct_children() - _spared  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _spares_children_that_were_there_before() -> None:
    _spared.clear()
    _spared.update(direct_children())
