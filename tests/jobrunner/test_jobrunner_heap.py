"""The heap of a template: huge pages, where the kernel makes them."""

import gc
import os
from pathlib import Path

import pytest

from jobrunner import heap
from tests.jobrunner.isolation.apart import in_a_fork

HEAP_BYTES = 16 << 20


def huge_kb() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages:"))


def test_the_heap_is_made_of_huge_pages_and_says_what_it_said() -> None:
    def work() -> list[str]:
        held = [os.urandom(1000) for _ in range(HEAP_BYTES // 1000)]
        before, huge_before = hash(tuple(held)), huge_kb()
        taken = heap.collapse()
        return [str(hash(tuple(held)) == before), str(taken), str(huge_kb() - huge_before)]

    same, taken, more_kb = in_a_fork(work)
    assert same == "True"
    if taken == "0":
        pytest.skip("this kernel makes no huge pages when it is asked (MADV_COLLAPSE, Linux 6.1)")
    assert int(more_kb) > 0


def test_a_kernel_that_refuses_takes_nothing_and_ends_nothing() -> None:
    class Refusing:
        def madvise(self, *_: object) -> int:
            return -1

    def work() -> list[str]:
        heap._libc = Refusing()  # type: ignore[assignment]  # of this fork only
        return [str(heap.collapse())]

    assert in_a_fork(work) == ["0"]


def test_where_the_map_can_not_be_read_nothing_is_taken() -> None:
    def work() -> list[str]:
        def refuse(*_: object) -> None:
            raise PermissionError

        heap.open = refuse  # type: ignore[attr-defined]  # of this fork only
        return [str(heap.collapse())]

    assert in_a_fork(work) == ["0"]


def test_what_is_frozen_no_collection_looks_at() -> None:
    def work() -> list[str]:
        held = [[number] for number in range(1000)]
        heap.freeze()
        return [str(gc.get_freeze_count() >= len(held)), str(len(gc.get_objects()) < len(held))]

    assert in_a_fork(work) == ["True", "True"]
