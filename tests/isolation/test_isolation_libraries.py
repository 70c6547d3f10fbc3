"""What blocks use works under the whole isolation that this kernel offers, and what does not is known and listed."""

import contextlib
import os
import pwd
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobrunner.isolation.landlock import abi_of_the_kernel
from tests.hosting.hosting import ROOT, Host, hosted
from tests.patience import PATIENCE_SECONDS

BLOCKS = Path(__file__).parent / "library_blocks"
REFUSED = {
    "a_debugger": "`strace`, `gdb`",
    "a_package_of_the_interpreter": "`pip install`",
    "keys_of_the_kernel": "`KEYRING:`",
    "psutil_limits_of_a_child": "`prlimit --pid`, psutil",
    "psutil_priority_of_a_child": "`renice`",
    "taskset_of_a_running_program": "`taskset -p`",
}
"""What is refused, and the words by which the how-to lists it."""

NEED_AN_ACCOUNT = {"asyncssh", "keys_of_openssh"}


def names() -> list[str]:
    """All that is used: found in the text, as importing it here would register a block."""
    texts = (path.read_text() for path in sorted(BLOCKS.glob("*.py")))
    return [name for text in texts for name in re.findall(r"^@use\n(?:async )?def (\w+)", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that was there when the worker started, with nothing of the worker's beside it."""
    return tmp_path_factory.mktemp("backups")


@pytest.fixture(scope="module")
def host(place: Path) -> Iterator[Host]:
    """A worker without an engine that uses all that this kernel offers."""
    # Of a short name: libraries make sockets in the directories of jobs, and a socket's path has 107 characters.
    with tempfile.TemporaryDirectory(prefix="l") as name, host_in(Path(name)) as host:
        assert host.problems == []
        yield host


@contextlib.contextmanager
def host_in(directory: Path) -> Iterator[Host]:
    state = directory / "state"
    state.mkdir()
    (state / "token").touch()
    isolation = {
        "landlock_abi": max(0, abi_of_the_kernel()),
        "seccomp": True,
        "new_session_keyring": True,
        "files": {
            "closed": [str(state)],
            "read_only": sorted({str(BLOCKS), str(ROOT), sys.prefix, sys.base_prefix, "/sys/fs/cgroup"}),
            "jobs_directory": str(directory / "jobs"),
        },
    }
    limits = {"max_job_seconds": PATIENCE_SECONDS}  # some start interpreters and import large libraries
    with hosted(directory, sources=(str(BLOCKS),), isolation=isolation, limits=limits) as host:
        yield host


def has_account() -> bool:
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


@pytest.mark.parametrize("name", [name for name in names() if name not in REFUSED])
def test_what_blocks_use_works(host: Host, place: Path, name: str) -> None:
    if name == "ping":
        from tests.capabilities import need

        need("ping")
    if name in NEED_AN_ACCOUNT and not has_account():
        pytest.skip(f"user {os.getuid()} has no account, without which this does not work anywhere")
    done = host.run("neops_isolation/library", {"name": name, "place": str(place)})
    assert done["cause"] == "completed", done["message"]


def test_temporary_files_work_where_the_state_lies_below_var_tmp(place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="l", dir="/var/tmp") as name, host_in(Path(name)) as host:
        done = host.run("neops_isolation/library", {"name": "temporary_files", "place": str(place)})
        assert done["cause"] == "completed", done["message"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_so_with_the_name_of_the_setting(host: Host, place: Path, name: str) -> None:
    done = host.run("neops_isolation/library", {"name": name, "place": str(place)})
    assert done["cause"] == "block_raised", done["message"]
    assert "--isolation" in done["message"]


def test_all_that_is_refused_is_a_use_and_is_listed() -> None:
    listed = (ROOT / "docs/how-to/isolation.md").read_text()
    assert {*REFUSED} <= {*names()}
    assert [words for words in REFUSED.values() if words not in listed] == []
