"""What all tests share."""

import fcntl
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
    """``alone`` for the length of one test."""
    with alone():
        yield


@pytest.fixture(scope="session")
def built_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the backend's own interface, which works in its process's current folder."""
    target = tmp_path_factory.mktemp("wheel")
    program = f"from hatchling.build import build_wheel; print(build_wheel({str(target)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
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
