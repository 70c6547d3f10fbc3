"""Watching goes on when looking fails: it is said once, tried again, and said when it works."""

import asyncio
import itertools
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from virtual_time import VirtualTime
from watch_faults import no_descriptor, no_memory, no_thread

from supervisor.log.events.processes import WatchFailing, WatchRestored
from supervisor.watch import process_counter as headcount_module
from supervisor.watch import rounds as rounds_module
from supervisor.watch import sampler as sampler_module
from supervisor.watch.look import Sample
from supervisor.watch.process_counter import ProcessCounter
from supervisor.watch.rounds import Rounds
from supervisor.watch.sampler import Sampler
from tests.log_events import names, told
from tests.patience import PATIENCE_SECONDS

NEAR = 0.001
"""A memory limit in MB that every process is above."""
BACK_SECONDS = 5.0
"""So soon after its end a fault must be over for the limits too."""

Fault = Callable[[], AbstractContextManager[None]]


FAULTS = pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (no_thread, "can't start new thread"),
        (no_descriptor, "Too many open files"),
        (no_memory, "Cannot allocate memory"),
    ],
)


class Seen:
    """What a watch of this process delivers, and when it fails. Begins when it is told to."""

    def __init__(self, watch: Sampler | ProcessCounter) -> None:
        self.watch = watch
        self.figures = asyncio.Queue[Any]()
        self.failures = asyncio.Queue[str]()

    def begin(self, pid: int | None = None) -> None:
        limit: Any = NEAR if isinstance(self.watch, Sampler) else 10_000
        self.watch.watch(pid or os.getpid(), limit, self.figures.put_nowait, self.failures.put_nowait)

    async def failure(self) -> str:
        return await asyncio.wait_for(self.failures.get(), PATIENCE_SECONDS)

    async def figure(self) -> Any:
        return await asyncio.wait_for(self.figures.get(), PATIENCE_SECONDS)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """The clock of sampler and count."""
    time = VirtualTime()
    monkeypatch.setattr(sampler_module, "asyncio", time)
    monkeypatch.setattr(headcount_module, "asyncio", time)
    return time


@pytest.fixture(params=["memory", "processes"])
async def seen(request: pytest.FixtureRequest, time: VirtualTime) -> AsyncIterator[Seen]:
    """This process, watched by the sampler, or counted."""
    seen = Seen(Sampler() if request.param == "memory" else ProcessCounter())
    yield seen
    seen.watch.forget(os.getpid())
    await seen.watch.close()


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the watches have told, in order."""
    return names(record for record in caplog.records if record.name == rounds_module.__name__)


BOTH = [WatchFailing.name, WatchRestored.name]


@FAULTS
async def test_a_watch_goes_on_after_looks_that_failed_and_is_back_within_five_seconds(
    fault: Fault, reason: str, seen: Seen, time: VirtualTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with fault():
        seen.begin()
        assert [await seen.failure() for _ in range(4)] == [reason] * 4
        assert seen.figures.empty()
        ended_at = time.now
    figure = await seen.figure()
    assert time.now - ended_at < BACK_SECONDS
    assert figure.memory_mb > 1 if isinstance(figure, Sample) else figure >= 1
    await seen.figure()
    assert events(caplog) == BOTH
    (failing,), (working,) = told(caplog, WatchFailing), told(caplog, WatchRestored)
    assert failing["reason"] == reason
    assert failing["watch"] == working["watch"]
    assert "enforce" in failing["consequence"]
    assert "again" in working["consequence"]
    assert working["seconds"] >= 0


@FAULTS
async def test_a_watch_that_has_worked_before_fails_aloud_and_comes_back(
    fault: Fault, reason: str, seen: Seen, time: VirtualTime, caplog: pytest.LogCaptureFixture
) -> None:
    seen.begin()
    await seen.figure()
    if reason == "can't start new thread":
        # It has its thread: no fault of this kind can harm it any more.
        with fault():
            await seen.figure()
        assert seen.failures.empty()
        return
    with fault():
        assert await seen.failure() == reason
        ended_at = time.now
    while not seen.figures.empty():
        seen.figures.get_nowait()
    await seen.figure()
    assert time.now - ended_at < BACK_SECONDS
    assert events(caplog) == BOTH


async def test_what_a_job_makes_of_its_figures_ends_no_watch(time: VirtualTime) -> None:
    """An error of ours in one job is no reason to leave the others unwatched."""
    headcount = ProcessCounter()
    seen = Seen(headcount)

    def broken(_: int) -> None:
        raise ZeroDivisionError("a bug")

    headcount.watch(os.getpid(), 10_000, broken, lambda _: headcount.forget(os.getpid()))
    headcount.watch(os.getppid(), 10_000, seen.figures.put_nowait, seen.failures.put_nowait)
    assert await seen.failure() == "a bug"
    assert await seen.figure() >= 1
    headcount.forget(os.getppid())
    await headcount.close()


async def test_looks_that_no_thread_took_are_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what was asked for during an hour of a fault would come before the first look that counts."""
    rounds, looked = Rounds("test", failing="fails", working="works"), list[int]()
    without_a_thread = rounds._executor
    with no_thread():
        for number in range(3):
            with pytest.raises(RuntimeError, match="can't start new thread"):
                await rounds.look(looked.append, number, pytest.fail)
    with pytest.raises(RuntimeError, match="after shutdown"):
        without_a_thread.submit(looked.append, 4)
    await rounds.look(looked.append, 3, pytest.fail)
    await rounds.close()
    assert looked == [3]


async def test_a_look_that_the_kernel_does_not_answer_is_told_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rounds_module, "LATE_SECONDS", 0.01)
    rounds, answered, late = Rounds("test", failing="fails", working="works"), threading.Event(), list[str]()

    def on_late(reason: str) -> None:
        late.append(reason)
        answered.set()

    assert await rounds.look(answered.wait, PATIENCE_SECONDS, on_late) is True
    rounds.tell(None)
    await rounds.close()
    assert late == ["no answer from the kernel for 0.01 s"]
    assert events(caplog) == BOTH
    failing, working = told(caplog, WatchFailing, WatchRestored)
    assert (failing["watch"], failing["consequence"]) == ("test", "fails")
    assert failing["reason"] == late[0]
    assert (working["watch"], working["consequence"]) == ("test", "works")


async def test_while_a_look_hangs_a_job_that_begins_is_told_that_nobody_looks_and_is_seen_afterwards(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "LATE_SECONDS", 0.01)
    go_on = threading.Event()
    for module, name in ((sampler_module, "look_at"), (headcount_module, "_trees_of")):
        function = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda asked, look=function: go_on.wait(PATIENCE_SECONDS) and look(asked)
        )
    later = Seen(seen.watch)
    try:
        seen.begin()
        reason = await seen.failure()
        later.begin(os.getppid())
        assert await later.failure() == reason == "no answer from the kernel for 0.01 s"
        assert later.figures.empty()
    finally:
        go_on.set()
    await later.figure()
    seen.watch.forget(os.getppid())


async def test_a_look_that_hangs_is_told_to_those_too_whose_turn_comes_later(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "LATE_SECONDS", 0.01)
    go_on = threading.Event()
    monkeypatch.setattr(sampler_module, "look_at", lambda _: go_on.wait(PATIENCE_SECONDS) and [])
    sampler, far = Sampler(), asyncio.Queue[str]()
    try:
        sampler.watch(os.getpid(), NEAR, pytest.fail, lambda _: None)  # looked at four times a second
        sampler.watch(os.getppid(), None, pytest.fail, far.put_nowait)  # once a second
        assert "no answer" in await asyncio.wait_for(far.get(), PATIENCE_SECONDS)
    finally:
        go_on.set()
        await sampler.close()


async def test_a_look_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds_module, "LATE_SECONDS", 0.01)
    rounds, answered = Rounds("test", failing="fails", working="works"), threading.Event()
    look = asyncio.ensure_future(rounds.look(answered.wait, PATIENCE_SECONDS, lambda _: None))
    for _ in itertools.repeat(None, 3):
        await asyncio.sleep(0)
    look.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await rounds.close()
    answered.set()
    await asyncio.gather(look, return_exceptions=True)


async def test_once_closed_no_thread_is_left() -> None:
    rounds = Rounds("to be closed", failing="fails", working="works")
    (thread,) = await rounds.look(lambda _: [threading.current_thread()], None, pytest.fail)
    assert thread.name.startswith("to be closed")
    await rounds.close()
    assert not thread.is_alive()
