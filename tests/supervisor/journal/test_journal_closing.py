"""Closing the journal: the directory is another's as soon as nothing can be written to it any more, and not before."""

import os
from pathlib import Path

import pytest

from supervisor.errors import StateDirectoryError
from supervisor.journal.directory import take_directory
from supervisor.journal.store import Journal


async def test_the_directory_is_another_s_once_the_writer_has_ended_and_closing_twice_is_closing_once(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    await journal.open()
    with pytest.raises(StateDirectoryError, match="another supervisor"):
        take_directory(tmp_path)
    journal.close()
    lock = take_directory(tmp_path)
    number = lock.descriptor
    lock.close()
    # Whose number it is now, the journal must not close.
    null = os.open(os.devnull, os.O_RDONLY)
    assert null == number
    journal.close()
    os.close(null)


async def test_a_disk_that_hangs_is_waited_for_15_seconds_and_then_keeps_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread may still write. The directory stays ours until this process ends."""
    journal = Journal(tmp_path)
    asked: list[float] = []
    real = journal._writer.close
    monkeypatch.setattr(journal._writer, "close", lambda seconds: asked.append(seconds))
    journal.close()
    assert asked == [15.0]
    with pytest.raises(StateDirectoryError, match="another supervisor"):
        take_directory(tmp_path)
    monkeypatch.setattr(journal._writer, "close", real)
    journal.close()
    take_directory(tmp_path).close()


async def test_a_file_that_could_not_be_read_is_not_left_open(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database" * 100)
    journal = Journal(tmp_path)
    with pytest.raises(Exception, match="not a database"):
        await journal.open()
    assert journal._writer.database is None
    assert not [
        name
        for name in os.listdir("/proc/self/fd")
        if os.path.realpath(f"/proc/self/fd/{name}").startswith(str(tmp_path / "journal"))
    ]
    journal.close()
