"""A small file that is replaced: whole after a power failure, the old one or the new one."""

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
