"""Pages of libraries that only their loading needed are given back, and nothing else."""

import ctypes
import mmap
import os
from pathlib import Path

from jobrunner import code_pages
from tests.jobrunner.isolation.apart import in_a_fork

FILE_BYTES = 1 << 20


def mapped(path: Path) -> int:
    """Map a file as code is mapped, touch all of it, and return where."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    descriptor = os.open(path, os.O_RDONLY)
    place = libc.mmap(None, ctypes.c_size_t(FILE_BYTES), mmap.PROT_READ, mmap.MAP_PRIVATE, descriptor, 0)
    os.close(descriptor)
    ctypes.string_at(place, FILE_BYTES)
    return int(place)


def resident_kb(path: Path) -> int:
    text = Path("/proc/self/smaps").read_text()
    entry = text.partition(str(path))[2]
    return int(entry.partition("Rss:")[2].split()[0])


def test_what_is_given_back_is_not_resident_and_reads_as_before(tmp_path: Path) -> None:
    file = tmp_path / "library"
    content = os.urandom(FILE_BYTES)
    file.write_bytes(content)
    os.sync()

    def work() -> list[str]:
        place = mapped(file)
        before, given = resident_kb(file), code_pages.give_back()
        after = resident_kb(file)
        same = ctypes.string_at(place, FILE_BYTES) == content
        return [str(before), str(after), str(given), str(same)]

    before, after, given, same = in_a_fork(work)
    assert (before, after, same) == ("1024", "0", "True")
    assert int(given) >= FILE_BYTES


def test_a_mapping_with_a_page_that_was_written_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "library"
    file.write_bytes(b"a" * FILE_BYTES)
    os.sync()

    def work() -> list[str]:
        place = mapped(file)
        libc = ctypes.CDLL(None, use_errno=True)
        for protection in (mmap.PROT_READ | mmap.PROT_WRITE, mmap.PROT_READ):
            libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(FILE_BYTES), protection)
            if protection & mmap.PROT_WRITE:
                ctypes.memset(place + 4096, ord("b"), 1)
        code_pages.give_back()
        return [ctypes.string_at(place + 4096, 1).decode()]

    assert in_a_fork(work) == ["b"]


def test_where_the_kernel_does_not_say_what_there_is_nothing_is_given_back() -> None:
    def work() -> list[str]:
        def refuse(*_: object) -> None:
            raise PermissionError

        code_pages.open = refuse  # type: ignore[attr-defined]  # of this fork only
        return [str(code_pages.give_back())]

    assert in_a_fork(work) == ["0"]


def test_a_kernel_that_refuses_takes_nothing_and_ends_nothing() -> None:
    class Refusing:
        def madvise(self, *_: object) -> int:
            return -1

    def work() -> list[str]:
        code_pages._libc = Refusing()  # type: ignore[assignment]  # of this fork only
        return [str(code_pages.give_back())]

    assert in_a_fork(work) == ["0"]
