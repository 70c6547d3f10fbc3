"""Output that is not wanted now: it is counted, and what stays of a line is no part of another."""

import itertools
import os
from collections.abc import AsyncIterator

import pytest

from supervisor.process import pipe_ends as pipe_ends_module
from supervisor.process.output import OutputReader
from tests.printing import take_in


class Tap:
    """A valve that the test turns."""

    is_open = True
    skipped = 0

    def skip(self, lines: int) -> None:
        self.skipped += lines


class Reading:
    """A reader whose portions are as the test writes them."""

    def __init__(self) -> None:
        self.end, self._child_end = os.pipe()
        os.set_blocking(self.end, False)
        self.lines: list[str] = []
        self.tap = Tap()
        self.reader = OutputReader(self.end, self.lines.append, self.tap)

    async def portion(self, data: bytes) -> None:
        await take_in(self.reader, (self.end, self._child_end), data)

    def close(self) -> None:
        self.reader.finish()
        os.close(self.end)
        os.close(self._child_end)


@pytest.fixture
async def reading() -> AsyncIterator[Reading]:
    reading = Reading()
    yield reading
    reading.close()


async def test_a_line_begun_before_the_valve_closed_is_no_part_of_the_line_that_opens_it(
    reading: Reading,
) -> None:
    await reading.portion(b"first\nbegun ")
    reading.tap.is_open = False
    await reading.portion(b"and ended\nunseen\nlast, begun ")
    reading.tap.is_open = True
    await reading.portion(b"and ended\n")
    assert reading.lines == ["first", "last, begun and ended"]
    assert reading.tap.skipped == 2


async def test_a_line_too_long_that_was_not_wanted_leaves_no_count_to_the_next(reading: Reading) -> None:
    await reading.portion(b"x" * 10_000)
    reading.tap.is_open = False
    await reading.portion(b"\nnext ")
    reading.tap.is_open = True
    await reading.portion(b"line\n")
    assert reading.lines == ["next line"]


async def test_the_valve_is_asked_anew_for_each_portion(reading: Reading) -> None:
    reading.tap.is_open = False
    await reading.portion(b"unseen\n")
    reading.tap.is_open = True
    await reading.portion(b"seen\n")
    assert (reading.lines, reading.tap.skipped) == (["seen"], 1)


async def test_the_tail_is_kept_of_what_was_not_wanted_too(reading: Reading) -> None:
    reading.tap.is_open = False
    await reading.portion(b"the last words\n")
    assert reading.reader.tail() == "the last words\n"


async def test_a_line_at_the_cap_is_whole_and_one_byte_more_is_cut(reading: Reading) -> None:
    await reading.portion(b"x" * 8192 + b"\n")
    await reading.portion(b"x" * 8193 + b"\n")
    await reading.portion(b"short\n")
    assert reading.lines == ["x" * 8192, "x" * 8192 + " … [1 more bytes of this line cut]", "short"]


async def test_what_is_kept_of_much_output_does_not_grow_with_it(reading: Reading) -> None:
    for number in range(20):
        await reading.portion(b"%d" % (number % 10) * 60_000 + b"\n")
    assert len(reading.reader._tail) <= 3 * 64 * 1024
    tail = reading.reader.tail()
    assert len(tail) == 64 * 1024
    assert tail.endswith("9\n")


async def test_a_stranger_that_prints_on_and_on_does_not_hold_up_the_end(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.write(reading._child_end, b"x\n")  # which the reads below leave there
    reads = itertools.count(1)

    def endless(descriptor: int, most: int) -> bytes:
        return b"%d\n" % next(reads)

    monkeypatch.setattr(pipe_ends_module.os, "read", endless)
    reading.reader.finish()
    assert reading.lines == [str(number) for number in range(1, 65)]


async def test_after_its_end_a_reader_does_not_touch_its_descriptor(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be another's by then."""
    reading.reader.finish()
    monkeypatch.setattr(pipe_ends_module.os, "read", lambda *_: pytest.fail("it was read"))
    reading.reader.finish()
