"""Root's thread has the rights to files of a directory's owner for as long as it asks for them, and no longer."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from supervisor.errors import StateDirectoryError
from supervisor.process.owners_rights import as_owner
from tests.capabilities import NOBODY
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.needs("other users")

NAMELESS = NOBODY - 1
DAC_OVERRIDE, DAC_READ_SEARCH = 1 << 1, 1 << 2  # <linux/capability.h>

AS_OWNER = """
import sys
from pathlib import Path
from supervisor.errors import StateDirectoryError
from supervisor.process.owners_rights import as_owner
try:
    with as_owner(Path(sys.argv[1])):
        print("has them")
except StateDirectoryError as error:
    print(error)
"""


def rights() -> dict[str, str]:
    """What the kernel says of this thread: users, groups and capabilities."""
    lines = Path("/proc/thread-self/status").read_text().splitlines()
    named = dict(line.split(":", 1) for line in lines)
    return {name: named[name].strip() for name in ("Uid", "Gid", "Groups", "CapEff", "CapPrm")}


def for_files(name: str) -> int:
    return int(rights()[name].split()[3])


def has(capability: int) -> bool:
    return bool(int(rights()["CapEff"], 16) & capability)


def place(directory: Path, user: int, group: int) -> Path:
    """A directory of a user, that this one can get to; beside it what is root's."""
    for path in (directory, *directory.parents):
        if path.is_relative_to("/tmp/pytest-of-root") or path.name.startswith("pytest-"):
            path.chmod(0o755)
    theirs = directory / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, user, group)
    (directory / "of-root").touch(0o600)
    return theirs


@pytest.mark.parametrize("user", [NAMELESS, NOBODY])
def test_what_is_made_is_the_owner_s_and_what_is_root_s_is_closed(tmp_path: Path, user: int) -> None:
    theirs = place(tmp_path, user, user)
    before = rights()
    with as_owner(theirs) as owner:
        assert owner == for_files("Uid") == user
        (theirs / "file").touch()
        for refused in ((tmp_path / "of-root").read_bytes, (tmp_path / "of-root").unlink):
            with pytest.raises(PermissionError):
                refused()
        assert not has(DAC_OVERRIDE | DAC_READ_SEARCH)
        assert "0" not in rights()["Groups"].split()
    assert ((theirs / "file").stat().st_uid, (theirs / "file").stat().st_gid) == (user, user)
    assert rights() == before


def test_the_owner_whom_nobody_knows_does_not_get_root_s_group_by_a_directory_that_root_has_made(
    tmp_path: Path,
) -> None:
    with as_owner(place(tmp_path, NAMELESS, 0)):
        assert for_files("Gid") == NAMELESS
        assert rights()["Groups"] == ""


def test_root_has_its_rights_again_after_an_error(tmp_path: Path) -> None:
    theirs = place(tmp_path, NAMELESS, NAMELESS)
    before = rights()
    with pytest.raises(ZeroDivisionError), as_owner(theirs):
        raise ZeroDivisionError
    assert rights() == before
    with pytest.raises(StateDirectoryError, match="can't be looked at"), as_owner(tmp_path / "none"):
        pass
    assert rights() == before


def test_other_threads_keep_the_user_and_the_capabilities_of_root(tmp_path: Path) -> None:
    theirs = place(tmp_path, NAMELESS, NAMELESS)
    before, seen = rights(), []
    begun, done = threading.Event(), threading.Event()

    def look() -> None:  # the groups are all threads'
        begun.wait(PATIENCE_SECONDS)
        seen.append(rights() | {"Groups": before["Groups"]})
        done.set()

    thread = threading.Thread(target=look)
    thread.start()
    with as_owner(theirs):
        begun.set()
        assert done.wait(PATIENCE_SECONDS)
    thread.join()
    assert seen == [before]


def test_below_a_directory_that_is_root_s_alone_it_reads_as_root_and_writes_as_the_owner(
    tmp_path: Path,
) -> None:
    theirs = place(tmp_path, NAMELESS, NAMELESS)
    before = rights()
    tmp_path.chmod(0o700)
    with as_owner(theirs):
        (theirs / "file").touch()
        for refused in ((tmp_path / "of-root").unlink, lambda: (tmp_path / "of-root").write_bytes(b"")):
            with pytest.raises(PermissionError):
                refused()
        assert has(DAC_READ_SEARCH)
        assert not has(DAC_OVERRIDE)
    assert (theirs / "file").stat().st_uid == NAMELESS
    assert rights() == before


def test_where_root_lacks_the_capability_to_get_there_it_says_which_directory_is_closed_to_whom(
    tmp_path: Path,
) -> None:
    theirs = place(tmp_path, NAMELESS, NAMELESS)
    command = ("setpriv", "--bounding-set=-dac_read_search", sys.executable, "-c", AS_OWNER, str(theirs))
    said = []
    for mode in (0o755, 0o700):
        tmp_path.chmod(mode)
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == "has them\n"
    for text in (f"{theirs} belongs to user {NAMELESS}", f"may not enter {tmp_path}.", "CAP_DAC_READ_SEARCH"):
        assert text in said[1]


def test_in_a_directory_of_its_own_nothing_changes(tmp_path: Path) -> None:
    before = rights()
    with as_owner(tmp_path) as owner:
        assert owner is None
        assert rights() == before
