"""Taking the state directory: what is made, what is refused, and that the reason given is what failed first."""

import errno
import os
import pwd
from pathlib import Path

import pytest
from journal_support import FILE

from supervisor.errors import StateDirectoryError
from supervisor.journal.directory import take_directory, user_name

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
    os.close(take_directory(tmp_path / "on" / "the" / "way"))
    assert mode_of(tmp_path / "on" / "the" / "way") == 0o700
    assert mode_of(tmp_path / "on" / "the" / "way" / "lock") == 0o600


def test_only_one_has_it_until_he_gives_it_up(tmp_path: Path) -> None:
    lock = take_directory(tmp_path)
    before = os.listdir("/proc/self/fd")
    assert "in use by another supervisor" in refused(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == len(before)
    os.close(lock)
    os.close(take_directory(tmp_path))


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


@pytest.mark.parametrize("theirs", [".", FILE, "lock"])
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
