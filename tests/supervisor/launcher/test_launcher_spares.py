"""Spares: each is ready, alive and of the code in force, and none is left behind."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable

import pytest
from launcher_support import ProcessLauncher, is_there

from supervisor.errors import LaunchError
from supervisor.launcher import SparePool
from supervisor.launcher import spare_pool as spares_module
from supervisor.launcher.child import Child
from supervisor.log.events.processes import ChildrenFailing, ChildrenRestored, SpareDied
from supervisor.process.cgroups.cgroup import Cgroup
from tests.log_events import facts_of, names, records_of, told
from tests.patience import until

LONG_SECONDS = 50.0


@pytest.fixture
async def spares_of(process_launcher: ProcessLauncher) -> AsyncIterator[Callable[..., SparePool]]:
    """Makes spares of the process_launcher and closes them."""
    made: list[SparePool] = []

    def make(target: int, cgroups: object = None) -> SparePool:
        made.append(SparePool(process_launcher, target, cgroups))
        return made[-1]

    yield make
    process_launcher.gate.set()
    for spares in made:
        await spares.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are asked for; none is made, beyond giving up the turn."""
    asked: list[float] = []
    sleep = asyncio.sleep

    async def at_once(seconds: float) -> None:
        if seconds >= spares_module._FIRST_PAUSE_SECONDS:
            asked.append(seconds)
            seconds = 0
        await sleep(seconds)

    monkeypatch.setattr(spares_module.asyncio, "sleep", at_once)
    return asked


async def the_ready_one(process_launcher: ProcessLauncher, spares: SparePool) -> Child:
    """Have one spare started, and return it once it waits."""
    spares.refill()
    await until(lambda: process_launcher.started and not spares._starting)
    (spare,) = process_launcher.started
    return spare


async def test_a_spare_that_was_on_its_way_at_a_renewal_is_ended_and_never_handed_out(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    process_launcher.gate.clear()
    spares = spares_of(1)
    spares.refill()
    await until(lambda: process_launcher.asked == 1)
    spares.renew()
    process_launcher.gate.set()
    child = await spares.take(LONG_SECONDS)
    old, *newer = process_launcher.started
    assert child in newer
    await until(lambda: not is_there(old.pid))
    child.discard()


async def test_a_spare_rehearses_and_no_child_does_while_jobs_wait_for_children(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(1)
    spare = await the_ready_one(process_launcher, spares)
    process_launcher.gate.clear()
    assert await spares.take(LONG_SECONDS) is spare
    awaited = asyncio.ensure_future(spares.take(LONG_SECONDS))
    await until(lambda: process_launcher.asked == 3)
    assert process_launcher.rehearsed == [True, False, False]
    process_launcher.gate.set()
    (await awaited).discard()
    spare.discard()


@pytest.mark.parametrize("is_over", [True, False])
async def test_spares_rehearse_again_when_no_job_has_waited_for_some_time(
    process_launcher: ProcessLauncher,
    spares_of: Callable[..., SparePool],
    monkeypatch: pytest.MonkeyPatch,
    is_over: bool,
) -> None:
    monkeypatch.setattr(spares_module, "BUSY_SECONDS", 0.0 if is_over else 3600.0)
    spares = spares_of(1)
    (await spares.take(LONG_SECONDS)).discard()
    await until(lambda: spares.ready == 1)
    (await spares.take(LONG_SECONDS)).discard()
    spares.refill()
    await until(lambda: process_launcher.asked == 3)
    assert process_launcher.rehearsed[2] is is_over


async def test_a_renewal_ends_the_spares_that_are_ready(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(1)
    old = await the_ready_one(process_launcher, spares)
    spares.renew()
    await until(lambda: len(process_launcher.started) == 2)  # although nobody asks
    child = await spares.take(LONG_SECONDS)
    assert child is not old
    await until(lambda: not is_there(old.pid))
    child.discard()


async def test_a_spare_that_dies_while_it_waits_is_waited_for_said_and_replaced(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool], caplog: pytest.LogCaptureFixture
) -> None:
    spares = spares_of(1)
    dead = await the_ready_one(process_launcher, spares)
    dead.kill()
    await until(lambda: not is_there(dead.pid))
    await until(lambda: len(process_launcher.started) == 2)
    (died,) = told(caplog, SpareDied)
    assert died["pid"] == dead.pid
    assert "SIGKILL" in died["status"]


async def test_a_spare_that_died_a_moment_ago_is_not_handed_out(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(1)
    dead = await the_ready_one(process_launcher, spares)
    dead.kill()
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    dead._on_exit()  # the loop has seen its end, and has told nobody yet
    child = await spares.take(LONG_SECONDS)
    assert child is not dead
    await until(lambda: not is_there(dead.pid))
    child.discard()


async def test_for_a_wait_that_was_given_up_no_child_is_started_any_more(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool], pauses: list[float]
) -> None:
    spares = spares_of(0)
    (await spares.take(LONG_SECONDS)).discard()
    process_launcher.problem = LaunchError("no memory")
    process_launcher.gate.clear()
    taking = asyncio.ensure_future(spares.take(LONG_SECONDS))
    await until(lambda: process_launcher.asked == 2)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    process_launcher.gate.set()
    await until(lambda: pauses)
    await until(lambda: not spares._starting or process_launcher.asked > 2)
    assert process_launcher.asked == 2


async def test_the_child_of_a_wait_that_was_given_up_becomes_a_spare(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    process_launcher.gate.clear()
    spares = spares_of(0)
    taking = asyncio.ensure_future(spares.take(LONG_SECONDS))
    await until(lambda: process_launcher.asked == 1)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    process_launcher.gate.set()
    await until(lambda: process_launcher.started and not spares._starting)
    (child,) = process_launcher.started
    assert await spares.take(LONG_SECONDS) is child
    child.discard()


async def test_a_child_that_comes_the_moment_its_wait_is_given_up_becomes_a_spare_too(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    process_launcher.gate.clear()
    spares = spares_of(0)
    taking = asyncio.ensure_future(spares.take(LONG_SECONDS))
    await until(lambda: process_launcher.asked == 1)
    # In this order the birth has its turn first, when the wait is cancelled but has not heard of it.
    process_launcher.gate.set()
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    await until(lambda: process_launcher.started and not spares._starting)
    (child,) = process_launcher.started
    assert await spares.take(LONG_SECONDS) is child
    child.discard()


async def test_a_child_that_comes_in_the_turn_in_which_the_time_is_over_is_taken(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(0)
    over: list[bool] = []

    def end(_: Child) -> None:
        (timeout,) = (wait.timeout for wait in spares._waiting)
        assert timeout is not None
        timeout._end()
        asyncio.get_running_loop().call_soon(lambda: over.append(timeout._limit.expired()))

    spares.on_ready = end
    child = await spares.take(LONG_SECONDS)
    assert over == [True]
    assert process_launcher.started == [child]
    child.discard()


async def test_a_child_that_was_given_to_a_wait_which_is_given_up_becomes_a_spare(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(0)
    taking = asyncio.ensure_future(spares.take(LONG_SECONDS))
    # Before the one that waits has its turn, in which it would be told of its child.
    spares.on_ready = lambda _: asyncio.get_running_loop().call_soon(taking.cancel)
    await asyncio.gather(taking, return_exceptions=True)
    assert taking.cancelled()
    (child,) = process_launcher.started
    assert await spares.take(LONG_SECONDS) is child
    child.discard()


@pytest.mark.parametrize("is_closed", [False, True])
async def test_a_child_that_was_given_to_a_wait_which_is_given_up_ends_where_it_is_not_wanted(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool], is_closed: bool
) -> None:
    spares = spares_of(0)
    taking = asyncio.ensure_future(spares.take(LONG_SECONDS))
    closing: list[asyncio.Future[None]] = []

    def born(_: Child) -> None:
        """Have three things come in the next turn, in this order: this one, the end of the wait, the child."""
        loop = asyncio.get_running_loop()
        if is_closed:
            closing.append(asyncio.ensure_future(spares.close()))
        else:
            loop.call_soon(spares.renew)
        loop.call_soon(taking.cancel)

    spares.on_ready = born
    await asyncio.gather(taking, return_exceptions=True)
    assert taking.cancelled()
    (child,) = process_launcher.started
    await until(lambda: child._closed)
    assert spares.ready == 0
    await asyncio.gather(*closing)


async def test_a_wait_has_an_end_that_says_so(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    process_launcher.gate.clear()
    with pytest.raises(LaunchError, match=r"within 0\.01 s"):
        await spares_of(0).take(0.01)


async def test_a_start_that_fails_is_tried_again_after_pauses_that_grow_up_to_a_bound(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool], pauses: list[float]
) -> None:
    process_launcher.problem = LaunchError("no memory")
    spares = spares_of(1)
    spares.refill()
    await until(lambda: len(pauses) >= 8)
    assert pauses[:8] == [0.2, 0.4, 0.8, *[1.0] * 5]
    process_launcher.problem = None
    await until(lambda: process_launcher.started and not spares._starting)
    process_launcher.problem = LaunchError("no memory again")
    pauses.clear()
    (child,) = process_launcher.started
    child.kill()
    await until(lambda: pauses)
    assert pauses[0] == 0.2
    process_launcher.problem = None


@pytest.mark.parametrize(("cores", "at_once"), [(None, 1), (1, 1), (2, 2)])
async def test_children_start_one_per_core_at_a_time_and_one_where_their_number_is_unknown(
    process_launcher: ProcessLauncher,
    spares_of: Callable[..., SparePool],
    monkeypatch: pytest.MonkeyPatch,
    cores: int | None,
    at_once: int,
) -> None:
    monkeypatch.setattr(spares_module.os, "cpu_count", lambda: cores)
    process_launcher.gate.clear()
    spares = spares_of(3)
    spares.refill()
    await until(lambda: process_launcher.asked)
    await asyncio.sleep(0)
    assert process_launcher.asked == at_once
    process_launcher.gate.set()
    await until(lambda: len(spares._ready) == 3)


async def test_an_error_that_nobody_expects_is_logged_with_its_trace(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool], caplog: pytest.LogCaptureFixture
) -> None:
    problems = [ValueError("a mistake of ours")]
    spawn_child = process_launcher.spawn_child

    async def mistaken(*, rehearses: bool = True):
        if problems:
            raise problems.pop()
        return await spawn_child()

    process_launcher.spawn_child = mistaken
    spares = spares_of(1)
    spares.refill()
    await until(lambda: process_launcher.started)
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.event == ChildrenFailing.name
    assert "bug in this worker" in facts_of(record)["reason"]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


async def test_closing_ends_what_waits_and_what_is_on_its_way_before_it_returns(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(1)
    spares.refill()
    await until(lambda: process_launcher.started and not spares._starting)
    process_launcher.gate.clear()
    spares._target = 2
    spares.refill()
    await until(lambda: process_launcher.asked == 2)
    await spares.close()
    assert [is_there(child.pid) for child in process_launcher.started] == [False]
    spares.refill()
    process_launcher.gate.set()
    assert not spares._starting


async def test_a_spare_that_was_taken_alive_ends_the_row_of_those_that_died_young(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next ones would have to live for a while before a job gets them, although nothing is wrong."""
    monkeypatch.setattr(spares_module, "_YOUNG_SECONDS", 3600.0)
    spares = spares_of(1)
    spares.refill()
    for _ in range(spares_module._YOUNG_DEATHS):
        await until(lambda: spares.ready == 1, "a spare is ready")
        dying = process_launcher.started[-1]
        dying.kill()
        await until(
            lambda: spares.ready == 1 and process_launcher.started[-1] is not dying,  # noqa: B023  # awaited in this turn
            "another one is ready, without an hour in which it has to live",
        )
        (await spares.take(LONG_SECONDS)).discard()
        spares.refill()


class JoiningSlowly(Cgroup):
    """A cgroup that a child has not joined before `gate` opens."""

    def __init__(self, gate: asyncio.Event, error: Exception | None = None) -> None:
        super().__init__((), "", None, lambda _: None)
        self._gate = gate
        self._error = error

    async def join(self, pid: int, ask: object = None) -> None:
        await self._gate.wait()
        if self._error is not None:
            raise self._error


class Cgroups:
    """Hands out cgroups that are joined slowly."""

    def __init__(self, error: Exception | None = None) -> None:
        self.gate = asyncio.Event()
        self._error = error

    def new(self) -> Cgroup:
        return JoiningSlowly(self.gate, self._error)


async def test_children_that_join_their_cgroup_keep_no_core_from_the_next(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    cgroups = Cgroups()
    spares = spares_of(3, cgroups)
    spares._at_once = 1
    spares.refill()
    await until(lambda: len(process_launcher.started) == 3)
    assert not spares._ready
    cgroups.gate.set()
    await until(lambda: len(spares._ready) == 3)
    assert process_launcher.asked == 3
    assert spares._joining == 0


async def test_a_child_whose_joining_was_given_up_is_ended(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(1, Cgroups())
    spares.refill()
    await until(lambda: process_launcher.started)
    (child,) = process_launcher.started
    await spares.close()
    await until(lambda: not is_there(child.pid))
    assert child._closed


async def test_an_error_that_nobody_expects_is_tried_again_after_pauses_too_and_said_once(
    process_launcher: ProcessLauncher,
    spares_of: Callable[..., SparePool],
    pauses: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    process_launcher.problem = OSError("a mistake of ours")  # type: ignore[assignment]  # not what it should raise
    spares = spares_of(1)
    spares.refill()
    await until(lambda: len(pauses) >= 4)
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.0]
    process_launcher.problem = None
    await until(lambda: process_launcher.started and not spares._starting)
    assert names(caplog.records) == [ChildrenFailing.name, ChildrenRestored.name]
    (failing,) = records_of(caplog, ChildrenFailing)
    assert failing.levelname == "ERROR"
    assert failing.exc_info is not None


async def test_a_spare_that_may_hold_removed_files_is_replaced_by_one_of_a_process_that_has_looked_again(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool]
) -> None:
    spares = spares_of(1)
    old = await the_ready_one(process_launcher, spares)
    spares.look_anew()
    assert process_launcher.looks == 1
    await until(lambda: spares.ready == 1 and not is_there(old.pid), "another one is ready")


async def test_where_starts_fail_a_spare_is_kept_whatever_it_holds(
    process_launcher: ProcessLauncher, spares_of: Callable[..., SparePool], pauses: list[float]
) -> None:
    spares = spares_of(1)
    old = await the_ready_one(process_launcher, spares)
    process_launcher.problem = LaunchError("no process is left")
    spares._target = 2
    spares.refill()
    await until(lambda: spares._capacity.failing_since is not None, "a start has failed")
    spares.look_anew()
    assert (process_launcher.looks, list(spares._ready)) == (0, [old])
