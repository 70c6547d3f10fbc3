"""What is printed is read beside the loop, as few times as there is something, and a read may take for ever."""

import asyncio
import os
import subprocess
import sys
import time

import pytest

from supervisor.process import output as output_module
from supervisor.process.output import OutputReader
from supervisor.process.pipe_ends import PipeThreads, Read, pipe_threads
from tests.held_pipes import held_pipes
from tests.patience import PATIENCE_SECONDS, until

UNREAD = "… [what was printed after this could not be read: a process holds its pipe up]"


def of_program(code: str, lines: list[str]) -> tuple[OutputReader, int, subprocess.Popen[bytes]]:
    """Start a program that prints. Returns its reader, what that reads, and its process."""
    end, other = os.pipe()
    os.set_blocking(end, False)
    reader = OutputReader(end, lines.append)
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdout=other)
    os.close(other)
    return reader, end, process


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Each descriptor that is given to a thread to be read."""
    given: list[int] = []
    read = PipeThreads.read

    def count(threads: PipeThreads, end: int) -> Read:
        given.append(end)
        return read(threads, end)

    monkeypatch.setattr(PipeThreads, "read", count)
    return given


async def read_whole(code: str) -> tuple[list[str], int]:
    """Read all that a program prints. Returns its lines, and the descriptor that they came by."""
    lines: list[str] = []
    reader, end, process = of_program(code, lines)
    await until(lambda: not reader._reading and not reader._taken, "its end is seen, and all is passed on")
    await reader.drain()
    reader.finish()
    pipe_threads().close(end)
    assert process.wait() == 0
    return lines, end


async def test_of_a_process_that_prints_nothing_no_thread_reads(reads: list[int]) -> None:
    lines, _ = await read_whole("pass")
    assert (lines, reads) == ([], [])


async def test_what_is_printed_at_once_is_one_read(reads: list[int]) -> None:
    lines, end = await read_whole("print('one\\ntwo\\nthree')")
    assert (lines, reads) == (["one", "two", "three"], [end])


async def test_while_reads_are_held_up_others_are_passed_on_and_then_these_too() -> None:
    held_lines: list[str] = []
    lines: list[str] = []
    with held_pipes(4) as held:
        held_readers = [OutputReader(each.end, held_lines.append) for each in held]
        await until(lambda: all(reader._read for reader in held_readers), "they are being read")
        reader, end, process = of_program("print('other')", lines)
        await until(lambda: lines == ["other"], "another's line is passed on")
        assert held_lines == []
    for other in held_readers:
        await until(lambda other=other: not other._reading and not other._taken, "all is read")
    assert held_lines == ["before"] * 4
    for one, descriptor in ((reader, end), *zip(held_readers, (each.end for each in held), strict=True)):
        await one.drain()
        one.finish()
        assert not one.is_unread
        pipe_threads().close(descriptor)
    process.wait()


@pytest.mark.parametrize("drains", [True, False])
async def test_the_end_waits_a_moment_for_a_read_that_is_held_up_and_says_that_something_is_missing(
    drains: bool,
) -> None:
    lines: list[str] = []
    with held_pipes(1) as (held,):
        reader = OutputReader(held.end, lines.append)
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            if drains:
                await reader.drain()
            reader.finish()
        assert time.monotonic() - began < 30, "it waited for the process"
        assert reader.is_unread
        assert lines == [UNREAD]
        pipe_threads().close(held.end)
        os.fstat(held.end)  # its number is nobody else's
        read = reader._read
        assert read is not None
    await until(read.done, "the read has come back")
    for _ in range(10):
        await asyncio.sleep(0)
    assert (lines, reader.tail()) == ([UNREAD], "")
    with pytest.raises(OSError, match="Bad file descriptor"):
        await until(lambda: os.fstat(held.end) is None)


async def test_what_comes_while_the_end_waits_for_it_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # It waits until the pipe is let go, however long this machine takes for that.
    monkeypatch.setattr(output_module, "_HELD_UP_SECONDS", PATIENCE_SECONDS)
    lines: list[str] = []
    with held_pipes(1) as (held,):
        reader = OutputReader(held.end, lines.append)
        draining = asyncio.ensure_future(reader.drain())
        await until(lambda: reader._came is not None, "it waits")
    await draining
    reader.finish()
    pipe_threads().close(held.end)
    assert (lines, reader.tail(), reader.is_unread) == (["before"], "before\n", False)


async def test_a_drain_that_is_cancelled_leaves_to_the_end_what_is_being_read() -> None:
    lines: list[str] = []
    with held_pipes(1) as (held,):
        reader = OutputReader(held.end, lines.append)
        draining = asyncio.ensure_future(reader.drain())
        await until(lambda: reader._came is not None, "it waits")
        draining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await draining
        read = reader._read
        assert read is not None
    await until(read.done, "the read has come back")
    reader.finish()
    pipe_threads().close(held.end)
    assert (lines, reader.is_unread) == (["before"], False)
