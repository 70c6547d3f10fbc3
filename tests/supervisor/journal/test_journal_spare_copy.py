"""The copy of the worker's uuid beside the journal: replaced in one step, whole after a power failure."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from supervisor.journal.uuid_backup import UuidBackup


class Calls:
    """Records the calls that make a file durable, and lets one of them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self.fails = ""
        for name in ("write", "fsync", "replace"):
            monkeypatch.setattr(os, name, self._recorded(name, getattr(os, name)))

    def _recorded(self, name: str, real: Any) -> Any:
        def call(first: Any, *rest: Any) -> Any:
            is_descriptor = isinstance(first, int)
            target = Path(os.readlink(f"/proc/self/fd/{first}")) if is_descriptor else Path(first)
            self.made.append(f"{name} {target.name}")
            if name == self.fails:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(first, *rest)

        return call


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


def test_it_is_on_the_disk_before_it_takes_the_old_one_s_place_and_so_is_the_place(
    tmp_path: Path, calls: Calls
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    UuidBackup(tmp_path / "uuid").write("w-1")
    assert len(os.listdir("/proc/self/fd")) == before
    assert calls.made == ["write uuid.new", "fsync uuid.new", "replace uuid.new", f"fsync {tmp_path.name}"]
    assert UuidBackup(tmp_path / "uuid").read() == "w-1"


@pytest.mark.parametrize("fails", ["write", "fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_value_and_no_descriptor(
    tmp_path: Path, calls: Calls, fails: str
) -> None:
    copy = UuidBackup(tmp_path / "uuid")
    copy.write("w-1")
    calls.fails = fails
    before = len(os.listdir("/proc/self/fd"))
    copy.write("w-2")
    assert len(os.listdir("/proc/self/fd")) == before
    assert copy.read() == "w-1"


def test_a_shorter_value_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    copy = UuidBackup(tmp_path / "uuid")
    (tmp_path / "uuid.new").write_text("x" * 500)
    copy.write("w-1")
    assert (tmp_path / "uuid").read_text() == "w-1\n"
    assert not (tmp_path / "uuid.new").exists()


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        UuidBackup(tmp_path / "uuid").write("w-1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "uuid").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"w-1\n", "w-1"),
        (b"  w-1 \n\n", "w-1"),
        (b"w" * 200, "w" * 200),
        (b"w" * 201, None),
        (b"", None),
        (b"w 1", None),
        (b"w-\xff", None),
        (b"w-\x00", None),
    ],
)
def test_only_what_can_be_a_uuid_is_read(tmp_path: Path, content: bytes, value: str | None) -> None:
    (tmp_path / "uuid").write_bytes(content)
    assert UuidBackup(tmp_path / "uuid").read() == value


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert UuidBackup(tmp_path / "uuid").read() is None
    UuidBackup(tmp_path / "missing" / "uuid").write("w-1")
    assert list(tmp_path.iterdir()) == []
