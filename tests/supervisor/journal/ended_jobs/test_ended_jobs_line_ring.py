"""Of a long log the beginning and the end are kept, and what is missing is counted, whoever reads it and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.journal.ended_jobs.budget import HEAD_BYTES, TAIL_BYTES, too_old
from supervisor.journal.ended_jobs.line_ring import LineRing

pytestmark = pytest.mark.pure

LINE = b"%07d\n"


def filled(lines: int, **room: int) -> LineRing:
    ring = LineRing(**room)
    for number in range(lines):
        ring.append(LINE % number)
    return ring


def numbers(text: bytes) -> list[int]:
    return [int(line) for line in text.split()]


def test_a_short_log_is_kept_whole() -> None:
    ring = filled(100)
    assert numbers(ring.head() + ring.tail()) == list(range(100))
    assert (ring.left_out_lines, ring.left_out_bytes, ring.lines) == (0, 0, 100)


def test_of_a_log_without_end_the_first_and_the_last_lines_are_kept_and_the_rest_is_counted() -> None:
    ring = filled(100_000)
    first, last = numbers(ring.head()), numbers(ring.tail())
    assert first == list(range(len(first)))
    assert last == list(range(100_000 - len(last), 100_000))
    assert ring.left_out_lines == 100_000 - len(first) - len(last) > 50_000
    assert ring.left_out_bytes == 8 * ring.left_out_lines
    assert ring.kept_bytes <= HEAD_BYTES + TAIL_BYTES


def test_many_short_lines_take_no_more_memory_than_a_few_long_ones() -> None:
    """Python needs some fifty bytes for each, however short it is."""
    ring = LineRing()
    for _ in range(100_000):
        ring.append(b"\n")
    assert len(ring.head() + ring.tail()) < 2**20 / 48


def test_a_short_line_does_not_get_before_a_long_one_that_came_first() -> None:
    ring = LineRing(head_bytes=100, tail_bytes=1000)
    for line in (b"a" * 40 + b"\n", b"b" * 40 + b"\n", b"c\n"):
        ring.append(line)
    assert (ring.head() + ring.tail()).split() == [b"a" * 40, b"b" * 40, b"c"]


@given(st.integers(0, 60), st.integers(0, 300), st.integers(1, 64), st.integers(0, 400))
def test_a_reader_gets_every_line_that_is_kept_and_learns_how_many_are_not(
    before: int, after: int, portion_bytes: int, start: int
) -> None:
    ring = filled(before, head_bytes=560, tail_bytes=560)
    line, seen, missed = min(start, before), [], 0
    for number in range(before, before + after):
        ring.append(LINE % number)
        if number % 7 == 0:
            portion = ring.read(line, portion_bytes)
            seen += numbers(portion.text)
            missed += portion.left_out_lines
            line = portion.next_line
    while line < ring.lines:
        portion = ring.read(line, portion_bytes)
        assert portion.next_line > line, "a reader gets on"
        seen += numbers(portion.text)
        missed += portion.left_out_lines
        line = portion.next_line
    assert seen == sorted(set(seen))
    assert len(seen) + missed == before + after - min(start, before)


@given(st.dictionaries(st.integers(1, 50), st.integers(0, 100)), st.integers(0, 60), st.integers(0, 2000))
def test_the_oldest_go_until_both_limits_hold_and_none_goes_without_need(
    sizes: dict[int, int], most_jobs: int, most_bytes: int
) -> None:
    gone = too_old(sizes, most_jobs, most_bytes)
    left = sorted(sizes.keys() - set(gone))
    assert sorted(gone) + left == sorted(sizes)
    assert len(left) <= most_jobs
    assert sum(sizes[number] for number in left) <= most_bytes
    if gone:
        more = [max(gone), *left]
        assert len(more) > most_jobs or sum(sizes[number] for number in more) > most_bytes
