"""A host whose children run as users of their own. Needs root, and a Python that everyone may read."""

import contextlib
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "hosting"))

from hosting import ROOT, Host, hosted  # found by the line above
from job_users_support import USERS, opening

from supervisor.worker.job_users import missing_capabilities, not_open_to_all
from tests.capabilities import lacking, need


@pytest.fixture(scope="session")
def prefix() -> tuple[str, ...]:
    """What a command begins with whose job users must be able to read Python and this checkout."""
    need("other users")
    if missing := missing_capabilities():
        pytest.skip(f"job users need root, or {', '.join(missing)}")
    needed = [
        Path(sys.executable),
        Path(sysconfig.get_path("stdlib")),
        Path(sysconfig.get_path("purelib")),
        ROOT,
    ]
    closed = not_open_to_all(needed)
    if closed and (reason := lacking("mounts of root")):
        pytest.skip(f"job users can't read Python, as others may not enter {', '.join(closed)}: {reason}")
    return opening(closed)


@pytest.fixture(scope="session")
def open_directory() -> Iterator[Path]:
    """A directory that others may pass: pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="neops-users-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def host_with_users(directory: Path, prefix: tuple[str, ...], *, spawn: bool) -> Iterator[Host]:
    """Without the isolation, which would hide what the users alone don't keep apart."""
    with hosted(
        directory,
        prefix=prefix,
        spawn=spawn,
        isolation={},
        users=USERS,
        confinement={"max_processes": 30},
        limits={"max_job_processes": 200, "grace_seconds": 0.2},
    ) as host:
        directory.chmod(0o711)
        yield host


@pytest.fixture(scope="module", params=["template", "spawn"])
def host(request: pytest.FixtureRequest, prefix: tuple[str, ...], open_directory: Path) -> Iterator[Host]:
    """A host with users, for both ways to start a child."""
    directory = open_directory / request.param
    with host_with_users(directory, prefix, spawn=request.param == "spawn") as host:
        yield host


@pytest.fixture(scope="class", params=["template", "spawn"])
def unstopped_host(
    request: pytest.FixtureRequest, prefix: tuple[str, ...], open_directory: Path
) -> Iterator[Host]:
    """The same for the tests of a class, none of which stops it."""
    directory = open_directory / f"unstopped-{request.param}"
    with host_with_users(directory, prefix, spawn=request.param == "spawn") as host:
        yield host


@pytest.fixture(params=["template", "spawn"])
def fresh_host(
    request: pytest.FixtureRequest, prefix: tuple[str, ...], open_directory: Path
) -> Iterator[Host]:
    """The same for one test, which may stop it."""
    directory = Path(tempfile.mkdtemp(dir=open_directory))
    with host_with_users(directory, prefix, spawn=request.param == "spawn") as host:
        yield host
