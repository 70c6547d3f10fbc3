"""Ends of pipes, read and closed in threads, while a real process holds the lock that both take."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator

import pytest

from supervisor.process import pipe_ends as pipe_ends_module
from supervisor.process.pipe_ends import Read, last_words, pipe_threads
from tests.held_pipes import BEFORE, held_pipes
from tests.patience import PATIENCE_SECONDS, until


class Pipe:
    """A pipe whose other end is the test's."""

    def __init__(self) -> None:
        self.end, self.other = os.pipe()
        os.set_blocking(self.end, False)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for descriptor in (pipe.end, pipe.other):
        if is_open(descriptor):
            os.close(descriptor)


def is_open(descriptor: int) -> bool:
    return os.path.exists(f"/proc/self/fd/{descriptor}")


def threads() -> int:
    return len([one for one in threading.enumerate() if one.name == "pipes"])


async def what_came(read: Read) -> bytes | None:
    await until(read.done, "the read has come back")
    return read.result()


async def test_a_read_brings_what_is_there_and_tells_nothing_from_the_end(pipe: Pipe) -> None:
    reads = pipe_threads()
    assert await what_came(reads.read(pipe.end)) is None
    os.write(pipe.other, b"x" * 60_000)
    assert await what_came(reads.read(pipe.end)) == b"x" * 60_000
    os.close(pipe.other)
    assert await what_came(reads.read(pipe.end)) == b""


async def test_an_error_of_a_read_is_its_own_and_the_thread_goes_on(pipe: Pipe) -> None:
    os.write(pipe.other, b"x")
    with pytest.raises(OSError, match="Bad file descriptor"):
        await what_came(pipe_threads().read(2**30))
    assert await what_came(pipe_threads().read(pipe.end)) == b"x"


async def test_reads_that_are_held_up_hold_up_no_other_and_leave_no_thread(pipe: Pipe) -> None:
    reads = pipe_threads()
    before = threads()
    with held_pipes(4) as held:
        late = [reads.read(each.end) for each in held]
        os.write(pipe.other, b"another's\n")
        assert await what_came(reads.read(pipe.end)) == b"another's\n"
        assert not [read for read in late if read.done()], "the lock of these pipes is not held"
        assert threads() <= before + 4
    assert [await what_came(read) for read in late] == [BEFORE] * 4
    await until(lambda: threads() == before, "what was started beside them has ended")
    for each in held:
        reads.close(each.end)
        assert not is_open(each.end)


async def test_where_no_thread_can_be_had_for_one_that_is_held_up_it_is_tried_again(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, refusals = pipe_threads(), 0

    def refuse(_: object) -> None:
        nonlocal refusals
        refusals += 1
        raise RuntimeError("can't start new thread")

    with held_pipes(threads()) as held:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        late = [reads.read(each.end) for each in held]
        os.write(pipe.other, b"x")
        read = reads.read(pipe.end)
        await until(lambda: refusals >= 2, "it is tried again")
        assert not read.done()
        monkeypatch.undo()
        assert await what_came(read) == b"x"
    for each, read in zip(held, late, strict=True):
        await what_came(read)
        reads.close(each.end)


async def test_threads_are_started_for_a_loop_that_comes_after_one_that_has_ended(pipe: Pipe) -> None:
    """Who waits for a thread looks once more on its own loop."""
    reads = pipe_threads()
    with held_pipes(threads()) as held:

        async def begin() -> list[Read]:
            return [reads.read(each.end) for each in (*held, pipe)]

        late = await asyncio.to_thread(asyncio.run, begin())
        os.write(pipe.other, b"x")
        other = Pipe()
        os.write(other.other, b"y")
        assert await what_came(reads.read(other.end)) == b"y"
    for descriptor in (other.end, other.other):
        os.close(descriptor)
    for read in late:
        await what_came(read)
    for each in held:
        reads.close(each.end)


async def test_an_end_that_is_being_read_is_closed_when_the_read_has_come_back() -> None:
    """Its number may be another's otherwise, and that one's bytes be read."""
    reads = pipe_threads()
    with held_pipes(1) as (held,):
        read = reads.read(held.end)
        reads.close(held.end)
        assert is_open(held.end)
    assert await what_came(read) == BEFORE
    await until(lambda: not is_open(held.end), "it is closed")


async def test_to_close_an_end_whose_lock_is_held_holds_up_nobody() -> None:
    reads = pipe_threads()
    with held_pipes(1) as (held,):
        reads.close(held.end)
        await asyncio.sleep(0)
    await until(lambda: not is_open(held.end), "it is closed")


async def test_an_end_into_which_nobody_can_write_any_more_is_closed_at_once(pipe: Pipe) -> None:
    os.write(pipe.other, b"unread")
    os.close(pipe.other)
    pipe_threads().close(pipe.end)
    assert not is_open(pipe.end)


async def test_without_any_thread_there_is_an_error_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(pipe_ends_module, "_threads", None)
    with pytest.raises(OSError) as caught:
        pipe_threads()
    assert caught.value.errno == errno.EAGAIN
    monkeypatch.undo()
    assert pipe_threads()


async def test_one_thread_is_enough_to_begin_with(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, 0

    def start_one(thread: threading.Thread) -> None:
        nonlocal started
        if started:
            raise RuntimeError("can't start new thread")
        started += 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    reads = pipe_ends_module.PipeThreads()
    monkeypatch.undo()
    os.write(pipe.other, b"x")
    assert await what_came(reads.read(pipe.end)) == b"x"


async def test_last_words_are_all_that_is_there_or_nothing_while_the_lock_is_held(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await last_words(pipe.end) == b""
    with monkeypatch.context() as patient:
        patient.setattr(pipe_ends_module, "_LAST_WORDS_SECONDS", PATIENCE_SECONDS)
        patient.setattr(pipe_ends_module, "READ_BYTES", 10)
        os.write(pipe.other, b"Traceback: much more than that")
        assert await last_words(pipe.end) == b"Traceback: much more than that"
    with held_pipes(1) as (held,):
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await last_words(held.end) == b""
        pipe_threads().close(held.end)
    await until(lambda: not is_open(held.end), "it is closed")
