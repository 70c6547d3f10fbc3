"""A small file that is replaced: whole after a power failure, the old one or the new one."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from supervisor.process.small_file import replace_file


def test_a_file_is_on_the_disk_before_it_takes_its_place_and_its_name_is_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, sync, replace = list[str](), os.fsync, os.replace

    def recorded_sync(descriptor: int) -> None:
        calls.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def recorded_replace(*names: Any) -> None:
        calls.append("replaced")
        replace(*names)

    monkeypatch.setattr(os, "fsync", recorded_sync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    replace_file(tmp_path / "kept", b"what is kept")
    assert calls == ["file", "replaced", "directory"]
    assert (tmp_path / "kept").read_bytes() == b"what is kept"


@pytest.mark.parametrize("fails", ["write", "fsync", "replace"])
def test_a_disk_that_does_not_take_it_keeps_the_old_file_and_the_space_that_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """What was written of it before the disk was full would keep the journal from it."""
    replace_file(tmp_path / "kept", b"old")
    real = getattr(os, fails)
    left = 1 if fails == "write" else 0

    def full(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        descriptor, content = arguments
        return real(descriptor, content[:2])

    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        replace_file(tmp_path / "kept", b"what is new")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"old"
