"""Reading what a child prints: line by line, whatever the bytes, and never waiting."""

import asyncio
import errno
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.process.output import OutputReader
from supervisor.process.pipe_ends import look_at
from tests.patience import PATIENCE_SECONDS, until

LINE_CAP_BYTES = 8 * 1024


class Pipe:
    """A pipe whose reading end is what an `OutputReader` gets, and the lines that came."""

    def __init__(self) -> None:
        self.end, self._child_end = os.pipe()
        os.set_blocking(self.end, False)
        self.lines: list[str] = []

    def write(self, data: bytes) -> None:
        os.write(self._child_end, data)

    def close_child_end(self) -> None:
        if self._child_end >= 0:
            os.close(self._child_end)
            self._child_end = -1

    def reader(self) -> OutputReader:
        return OutputReader(self.end, self.lines.append)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.lines) < count:
                await asyncio.sleep(0.001)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close_child_end()
    os.close(pipe.end)


async def test_lines_come_as_they_are_printed_and_a_half_one_at_the_end(pipe: Pipe) -> None:
    reader = pipe.reader()
    pipe.write(b"one\ntw")
    await pipe.until(1)
    assert pipe.lines == ["one"]
    pipe.write(b"o\r\n\nthree")
    await pipe.until(2)
    reader.finish()
    assert pipe.lines == ["one", "two", "three"]


async def test_bytes_that_are_not_utf_8_are_shown_with_escapes(pipe: Pipe) -> None:
    reader = pipe.reader()
    pipe.write(b"caf\xe9 \xff\xfe\n" + "✓\n".encode())
    await pipe.until(2)
    reader.finish()
    assert pipe.lines == ["caf\\xe9 \\xff\\xfe", "✓"]


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"x\n"], ids=["empty", "CRLF", "short"])
async def test_of_many_short_lines_only_those_that_the_valve_lets_through_are_looked_at(
    pipe: Pipe, line: bytes
) -> None:
    passed: list[str] = []

    class Narrow:
        asked = skipped = 0

        @property
        def is_open(self) -> bool:
            self.asked += 1
            return len(passed) < 10

        def skip(self, lines: int) -> None:
            self.skipped += lines

    valve = Narrow()
    reader = OutputReader(pipe.end, passed.append, valve)
    pipe.write(line * (60_000 // len(line)) + b"last")
    reader.finish()
    assert valve.asked < 20
    assert passed[-1] == "last"
    if line == b"x\n":
        assert (len(passed), valve.skipped) == (11, 29_990)


async def test_a_character_that_comes_in_two_pieces_is_one(pipe: Pipe) -> None:
    reader = pipe.reader()
    first, rest = "✓".encode()[:1], "✓".encode()[1:]
    pipe.write(b"begin\n" + first)
    await pipe.until(1)
    pipe.write(rest + b"\n")
    await pipe.until(2)
    reader.finish()
    assert pipe.lines == ["begin", "✓"]


@pytest.mark.parametrize("ended", [True, False])
async def test_a_line_that_is_too_long_is_cut_once_and_says_how_much_is_missing(
    pipe: Pipe, ended: bool
) -> None:
    reader = pipe.reader()
    for _ in range(5):
        await asyncio.to_thread(pipe.write, b"x" * 50_000)
    if ended:
        pipe.write(b"\nafter\n")
        await pipe.until(2)
    reader.finish()
    assert len(pipe.lines) == (2 if ended else 1)
    assert (
        pipe.lines[0] == "x" * LINE_CAP_BYTES + f" … [{250_000 - LINE_CAP_BYTES} more bytes of this line cut]"
    )


async def test_finishing_does_not_wait_for_a_stranger_that_holds_the_other_end(pipe: Pipe) -> None:
    reader = pipe.reader()
    pipe.write(b"last words")
    reader.finish()  # it would hang here
    assert pipe.lines == ["last words"]
    reader.finish()
    assert pipe.lines == ["last words"]


async def test_the_end_of_the_pipe_stops_the_reading_and_not_the_loop(pipe: Pipe) -> None:
    reader = pipe.reader()
    pipe.write(b"bye\n")
    pipe.close_child_end()
    await pipe.until(1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while reader._reading:
            await asyncio.sleep(0.001)
    # A pipe at its end is always readable: a reader left there would keep the loop turning.
    assert not asyncio.get_running_loop().remove_reader(pipe.end)
    reader.finish()
    assert (pipe.lines, reader.tail()) == (["bye"], "bye\n")


async def test_an_end_that_was_seen_is_not_read_again_when_the_rest_is_passed_on(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = pipe.reader()
    pipe.write(b"bye\nwithout an end")
    pipe.close_child_end()
    await until(lambda: not reader._reading)
    monkeypatch.setattr(reader, "_descriptor", -1)
    await reader.drain()
    reader.finish()
    assert pipe.lines == ["bye", "without an end"]


async def test_the_tail_is_the_end_of_much_output(pipe: Pipe) -> None:
    reader = pipe.reader()
    for number in range(10):
        pipe.write(b"%d" % number * 40_000 + b"\n")
        await pipe.until(number + 1)
    reader.finish()
    tail = reader.tail()
    assert len(tail) == 64 * 1024
    assert len(reader._tail) <= 2 * len(tail)  # and no more is held of it, however much there was
    assert tail.endswith("9" * 40_000 + "\n")


class Mask:
    """Masks every s, and keeps what it was told."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, text: str) -> str:
        self.asked.append(text)
        return text.replace("s", "*")


async def test_only_lines_that_were_cut_or_have_not_ended_are_masked_here(pipe: Pipe) -> None:
    """Half of a secret may be their end. Whole lines are masked by whoever passes them on."""
    mask = Mask()
    reader = OutputReader(pipe.end, pipe.lines.append, mask=mask)
    pipe.write(b"s" * LINE_CAP_BYTES + b"\n")
    pipe.write(b"s" * (LINE_CAP_BYTES + 1) + b"\n")
    pipe.write(b"sos")
    await pipe.until(2)
    reader.finish()
    assert mask.asked == ["s" * LINE_CAP_BYTES, "sos"]
    assert pipe.lines == [
        "s" * LINE_CAP_BYTES,
        "*" * LINE_CAP_BYTES + " … [1 more bytes of this line cut]",
        "*o*",
    ]


async def test_of_a_character_that_a_cut_goes_through_nothing_is_kept(pipe: Pipe) -> None:
    """Its bytes would stand between a secret and the cut, and so hide that the secret may go on."""
    reader = pipe.reader()
    pipe.write(b"x" * (LINE_CAP_BYTES - 1) + "✓\n".encode())
    pipe.write(b"whole \xe2\x9c\n")  # not cut: this is what was printed
    pipe.write(b"half a mark \xe2\x9c")
    await pipe.until(2)
    reader.finish()
    assert pipe.lines == [
        "x" * (LINE_CAP_BYTES - 1) + " … [2 more bytes of this line cut]",
        "whole \\xe2\\x9c",
        "half a mark ",
    ]
    assert reader.tail().endswith("half a mark ")


async def test_while_it_must_wait_nothing_is_passed_on_and_nothing_is_lost(pipe: Pipe) -> None:
    must_wait = True
    reader = OutputReader(pipe.end, pipe.lines.append, must_wait=lambda: must_wait)
    pipe.write(b"one\n")
    for _ in range(20):
        await asyncio.sleep(0)
    assert pipe.lines == []
    pipe.write(b"two\n")
    must_wait = False
    await pipe.until(2)
    assert pipe.lines == ["one", "two"]
    must_wait = True
    pipe.write(b"three\n")
    for _ in range(20):
        await asyncio.sleep(0)
    reader.finish()  # there will be no later
    assert pipe.lines == ["one", "two", "three"]


async def test_while_it_must_wait_it_is_not_woken_again_and_then_reads_on(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakes, must_wait = 0, True
    read_some = OutputReader._read_some

    def woken(reader: OutputReader) -> None:
        nonlocal wakes
        wakes += 1
        read_some(reader)

    monkeypatch.setattr(OutputReader, "_read_some", woken)
    reader = OutputReader(pipe.end, pipe.lines.append, must_wait=lambda: must_wait)
    pipe.write(b"one\n")
    await until(lambda: reader._taken)
    pipe.write(b"two\n")
    for _ in range(50):
        await asyncio.sleep(0)
    assert wakes == 1
    must_wait = False
    await pipe.until(2)
    pipe.write(b"three\n")
    await pipe.until(3)
    assert pipe.lines == ["one", "two", "three"]
    must_wait = True
    pipe.write(b"four\n")
    await until(lambda: reader._taken)
    pipe.write(b"five\n")
    for _ in range(50):
        await asyncio.sleep(0)
    reader.finish()
    must_wait = False
    reader._pass_on()  # what was to be called later
    assert pipe.lines == ["one", "two", "three", "four", "five"]
    assert not asyncio.get_running_loop().remove_reader(pipe.end)


async def test_a_pipe_that_can_not_be_watched_again_just_now_is_read_a_moment_later(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epoll's room is counted by user, and a job of the same user may have it all. Whoever prints would hang."""
    must_wait = True
    reader = OutputReader(pipe.end, pipe.lines.append, must_wait=lambda: must_wait)
    pipe.write(b"one\n")
    await until(lambda: reader._taken)
    pipe.write(b"two\n")
    loop, refusals = asyncio.get_running_loop(), 0
    add_reader = loop.add_reader

    def refuse(*given: Any) -> None:
        nonlocal refusals
        if refusals < 3:
            refusals += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        add_reader(*given)

    monkeypatch.setattr(loop, "add_reader", refuse)
    must_wait = False
    await pipe.until(2)
    assert (pipe.lines, refusals) == (["one", "two"], 3)
    monkeypatch.undo()
    reader.finish()


async def test_what_waits_at_the_end_is_read_within_a_bound(pipe: Pipe) -> None:
    """A stranger that writes on and on must not hold the loop."""
    reads = 0
    reader = pipe.reader()
    pipe.write(b"x\n")  # which the reads below leave there

    def endless(_descriptor: int, count: int) -> bytes:
        nonlocal reads
        reads += 1
        assert count == 64 * 1024
        return b"x\n"

    real, os.read = os.read, endless
    try:
        reader.finish()
    finally:
        os.read = real
    assert reads == 64


async def test_of_what_is_printed_last_as_much_is_passed_on_as_a_moment_allows_and_the_rest_is_counted(
    pipe: Pipe,
) -> None:
    """Lines that take long to mask must not hold the loop at the end of a job."""
    passed: list[str] = []

    class Open:
        is_open = True
        skipped = 0

        def skip(self, lines: int) -> None:
            self.skipped += lines

    def pass_on(line: str) -> None:
        time.sleep(0.01)
        passed.append(line)

    valve = Open()
    reader = OutputReader(pipe.end, pass_on, valve)
    pipe.write(b"a line\n" * 50)
    reader.finish()
    assert passed, "some of it is in time"
    assert valve.skipped > 0, "half a second is no moment"
    assert len(passed) + valve.skipped == 50
    assert reader.tail() == "a line\n" * 50


async def test_of_what_was_printed_no_more_is_kept_than_twice_the_tail(pipe: Pipe) -> None:
    reader = pipe.reader()
    for _ in range(12):
        pipe.write(b"x" * 32 * 1024)
        await until(lambda: not look_at(pipe.end) and reader._read is None)
    assert 64 * 1024 <= len(reader._tail) <= 2 * 64 * 1024
    reader.finish()
