"""Taking the state directory: what is made, what is refused, and that the reason given is what failed first."""

import contextlib
import errno
import fcntl
import os
import pwd
import stat
from pathlib import Path

import pytest
from journal_support import FILE

from supervisor.errors import StateDirectoryError
from supervisor.journal import directory as directory_module
from supervisor.journal.directory import is_in_use, take_directory, user_name

NAMELESS = 2_999_999_999


def refused(directory: Path) -> str:
    with pytest.raises(StateDirectoryError) as caught:
        take_directory(directory)
    message = str(caught.value)
    assert str(directory) in message
    assert "--state-dir" in message
    return message


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_nobody_else_can_read_what_is_made(tmp_path: Path) -> None:
    take_directory(tmp_path / "on" / "the" / "way").close()
    assert mode_of(tmp_path / "on" / "the" / "way") == 0o700
    assert mode_of(tmp_path / "on" / "the" / "way" / "lock") == 0o600


def test_only_one_has_it_until_he_gives_it_up(tmp_path: Path) -> None:
    lock = take_directory(tmp_path)
    before = os.listdir("/proc/self/fd")
    assert "in use by another supervisor" in refused(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == len(before)
    lock.close()
    take_directory(tmp_path).close()


def test_a_second_one_is_refused_also_when_somebody_has_removed_the_lock_s_file(tmp_path: Path) -> None:
    lock = take_directory(tmp_path)
    (tmp_path / "lock").unlink()
    assert "in use by another supervisor" in refused(tmp_path)
    assert is_in_use(tmp_path)
    lock.close()
    assert not is_in_use(tmp_path)


def test_a_worker_of_a_version_that_locks_the_file_alone_and_this_one_exclude_each_other(
    tmp_path: Path,
) -> None:
    old = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(old, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert "in use by another supervisor" in refused(tmp_path)
    assert is_in_use(tmp_path)
    fcntl.flock(old, fcntl.LOCK_UN)
    lock = take_directory(tmp_path)
    with pytest.raises(BlockingIOError):
        fcntl.flock(old, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(old)
    lock.close()


@pytest.mark.needs("other users")
def test_what_root_takes_only_to_read_is_held_as_any_other_and_nothing_is_made_in_it(tmp_path: Path) -> None:
    os.chown(tmp_path, NAMELESS, NAMELESS)
    with contextlib.closing(take_directory(tmp_path, only_to_read=True)):
        assert is_in_use(tmp_path)
        with pytest.raises(StateDirectoryError, match="in use by another supervisor"):
            take_directory(tmp_path, only_to_read=True)
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open("r+") as held_by_the_file_alone:
        fcntl.flock(held_by_the_file_alone, fcntl.LOCK_EX)
        with pytest.raises(StateDirectoryError, match="in use by another supervisor"):
            take_directory(tmp_path, only_to_read=True)


def test_who_only_looks_keeps_nobody_from_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`is_in_use` holds the lock for a moment, and whoever takes the directory waits that long."""
    looking = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    pauses: list[float] = []

    class Time:
        @staticmethod
        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            fcntl.flock(looking, fcntl.LOCK_UN)

    monkeypatch.setattr(directory_module, "time", Time)
    with contextlib.closing(take_directory(tmp_path)):
        assert len(pauses) == 1
        assert is_in_use(tmp_path)
    os.close(looking)


def test_a_link_in_the_place_of_the_lock_s_file_is_not_opened_by_who_looks(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    (tmp_path / "lock").symlink_to(other)
    with other.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not is_in_use(tmp_path)
        with pytest.raises(StateDirectoryError):
            take_directory(tmp_path, only_to_read=True)


def test_a_directory_that_is_replaced_while_it_is_taken_is_not_what_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    real, replaced = fcntl.flock, []

    def flock(descriptor: int, operation: int) -> None:
        real(descriptor, operation)
        if not replaced:
            replaced.append(state.rename(tmp_path / "moved"))
            state.mkdir()

    monkeypatch.setattr(fcntl, "flock", flock)
    lock = take_directory(state)
    assert os.fstat(lock.descriptor).st_ino == state.stat().st_ino
    assert not is_in_use(tmp_path / "moved")
    lock.close()


@pytest.mark.parametrize(
    ("unable", "weakness"),
    [("directory", "can't lock a directory"), ("file", "on this machine only"), ("both", None)],
)
def test_what_a_file_system_can_not_lock_is_told_and_without_any_lock_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unable: str, weakness: str | None
) -> None:
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        kind = "directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        if unable in (kind, "both"):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    if weakness is None:
        assert os.strerror(errno.ENOLCK) in refused(tmp_path)
        return
    lock = take_directory(tmp_path)
    assert weakness in str(lock.weakness)
    assert "in use by another supervisor" in refused(tmp_path)
    lock.close()


def test_the_reason_is_why_it_could_not_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that a file in it can't be opened, which follows from it."""

    def no_space(path: Path, mode: int, *, parents: bool, exist_ok: bool) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "mkdir", no_space)
    assert os.strerror(errno.ENOSPC) in refused(tmp_path / "state")


@pytest.mark.parametrize("place", ["file", "file/state"])
def test_a_file_in_its_place_or_on_the_way_is_left_as_it_is(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("something")
    refused(tmp_path / place)
    assert (tmp_path / "file").read_text() == "something"


@pytest.mark.parametrize("kind", ["directory", "fifo"])
def test_a_journal_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(tmp_path / FILE)
    else:
        (tmp_path / FILE).mkdir()
    refused(tmp_path)


@pytest.mark.parametrize(
    "theirs", [".", FILE, "lock", "identity", "place", "worker_uuid", "accepted_results"]
)
def test_what_belongs_to_another_user_is_refused_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    if theirs != ".":
        (tmp_path / theirs).touch()
    before = list(tmp_path.iterdir())
    real, other = Path.stat, os.geteuid() + 1

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        status = real(path, follow_symlinks=follow_symlinks)
        if path != tmp_path / theirs:
            return status
        return os.stat_result((*status[:4], other, *status[5:]))

    monkeypatch.setattr(Path, "stat", stat)
    message = refused(tmp_path)
    assert str(tmp_path / theirs) in message
    assert ("directory" in message) == (theirs == ".")
    assert list(tmp_path.iterdir()) == before


def test_a_user_without_a_name_is_called_by_his_number() -> None:
    assert "root" in user_name(0)
    with pytest.raises(KeyError):
        pwd.getpwuid(NAMELESS)
    assert str(NAMELESS) in user_name(NAMELESS)
