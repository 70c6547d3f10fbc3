"""Files that the kernel makes up: read to their end, written in one call, and never left open."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobrunner.protocol import kernel_files

pytestmark = pytest.mark.pure


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every descriptor that is opened from now on."""
    found: list[int] = []
    real = os.open

    def note(*arguments: object) -> int:
        found.append(real(*arguments))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(kernel_files.os, "open", note)
    return found


def refuse(*_: object) -> int:
    raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))


def is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError as error:
        return error.errno == errno.EBADF
    return False


def test_what_comes_in_short_parts_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, opened: list[int]
) -> None:
    """A list of processes ends each part where a number ends, long before what was asked for is full."""
    parts = iter([b"1 2 ", b"3 ", b"4\n", b""])
    monkeypatch.setattr(kernel_files.os, "read", lambda descriptor, most: next(parts))
    assert kernel_files.read("/dev/null") == b"1 2 3 4\n"
    assert len(opened) == 1
    assert is_closed(opened[0])


def test_a_file_of_any_length_is_read_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 100
    (tmp_path / "file").write_bytes(content)
    assert kernel_files.read(tmp_path / "file") == content


def test_a_text_is_written_in_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes each call for an order of its own."""
    writes: list[bytes] = []
    monkeypatch.setattr(kernel_files.os, "write", lambda descriptor, data: writes.append(data) or len(data))
    (tmp_path / "file").touch()
    kernel_files.write(tmp_path / "file", "+memory +pids")
    assert writes == [b"+memory +pids"]


@pytest.mark.parametrize(
    ("call", "use"),
    [("read", kernel_files.read), ("write", lambda path: kernel_files.write(path, "1"))],
    ids=["read", "write"],
)
def test_a_descriptor_is_closed_although_the_kernel_refuses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened: list[int],
    call: str,
    use: Callable[[Path], object],
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(kernel_files.os, call, refuse)
    with pytest.raises(OSError, match="No such process"):
        use(tmp_path / "file")
    assert is_closed(opened[0])


@pytest.mark.parametrize("use", [kernel_files.read, lambda path: kernel_files.write(path, "1")])
def test_what_is_opened_is_not_inherited_by_a_program(tmp_path: Path, use: Callable[[Path], object]) -> None:
    """A block's program may be started between the two calls."""
    (tmp_path / "file").touch()
    inheritable: list[bool] = []
    close = os.close

    def look(descriptor: int) -> None:
        inheritable.append(os.get_inheritable(descriptor))
        close(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_files.os, "close", look)
        use(tmp_path / "file")
    assert inheritable == [False]
