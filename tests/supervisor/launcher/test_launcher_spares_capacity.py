"""Whether a child can be had: what the pool of spares says of it, and what becomes of those who wait."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from launcher_support import ProcessLauncher

from supervisor.errors import LaunchError
from supervisor.launcher import SparePool
from supervisor.launcher import spare_pool as spares_module
from supervisor.launcher.child import Child
from supervisor.lifecycle import capacity as capacity_module
from supervisor.log.events.processes import ChildrenFailing
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until

LONG_SECONDS = 50.0
REFUSED = "The template could not fork: Resource temporarily unavailable."


class Pool:
    """Spares of a process_launcher, and what they have told of their capacity."""

    def __init__(self, spares: SparePool) -> None:
        self.spares = spares
        self.told: list[str | None] = []
        spares.on_capacity = self.told.append


@pytest.fixture
async def pool_of(process_launcher: ProcessLauncher) -> AsyncIterator[Callable[[int], Pool]]:
    made: list[Pool] = []

    def make(target: int) -> Pool:
        made.append(Pool(SparePool(process_launcher, target)))
        return made[-1]

    yield make
    process_launcher.gate.set()
    for pool in made:
        await pool.spares.close()


async def test_the_first_child_that_is_ready_says_that_jobs_can_run(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool]
) -> None:
    pool = pool_of(1)
    process_launcher.gate.clear()
    pool.spares.refill()
    await until(lambda: process_launcher.asked)
    assert (pool.spares.room, pool.spares.problem, pool.told) == (0, "", [])
    process_launcher.gate.set()
    await until(lambda: pool.told)
    assert (pool.spares.room, pool.told) == (None, [None])


async def test_starts_that_fail_are_told_with_the_reason_and_their_end_too(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool]
) -> None:
    process_launcher.problem = LaunchError(REFUSED, evidence="Traceback …\n  File …\nOSError: it said so\n")
    pool = pool_of(1)
    pool.spares.refill()
    await until(lambda: pool.told)
    assert pool.told == [f"{REFUSED} OSError: it said so"]
    assert pool.spares.room == 0
    process_launcher.problem = None
    await until(lambda: pool.told[-1] is None)
    assert pool.spares.room is None


async def test_a_burst_that_takes_every_spare_changes_nothing(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool]
) -> None:
    pool = pool_of(2)
    pool.spares.refill()
    await until(lambda: len(pool.spares._ready) == 2)
    pool.told.clear()
    process_launcher.gate.clear()
    taken = [await pool.spares.take(LONG_SECONDS) for _ in range(2)]
    waiting = asyncio.ensure_future(pool.spares.take(LONG_SECONDS))
    await until(lambda: process_launcher.asked >= 3)
    assert (pool.spares.room, pool.spares.problem, pool.told) == (None, None, [])
    process_launcher.gate.set()
    for child in (*taken, await waiting):
        child.discard()
    assert pool.told == []


async def test_while_starts_fail_there_is_room_for_as_many_as_are_ready(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool]
) -> None:
    pool = pool_of(2)
    pool.spares.refill()
    await until(lambda: len(pool.spares._ready) == 2)
    process_launcher.problem = LaunchError(REFUSED)
    child = await pool.spares.take(LONG_SECONDS)
    pool.spares.refill()
    await until(lambda: pool.spares.room == 1)
    assert pool.spares.problem is None
    other = await pool.spares.take(LONG_SECONDS)
    assert (pool.spares.room, pool.told[-1]) == (0, REFUSED)
    child.discard()
    other.discard()


async def test_where_nobody_waits_and_no_spare_is_wanted_it_still_finds_out_when_a_child_can_be_started(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool]
) -> None:
    pool = pool_of(0)
    process_launcher.problem = LaunchError(REFUSED)
    pool.spares.refill()
    await until(lambda: pool.told)
    process_launcher.problem = None
    await until(lambda: pool.told[-1] is None)


async def test_a_start_that_hangs_is_told_although_it_has_not_failed(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity_module, "_LATE_SECONDS", 0.01)
    monkeypatch.setattr(capacity_module, "_LATE_TIMES", 0.0)
    pool = pool_of(1)
    process_launcher.gate.clear()
    pool.spares.refill()
    await until(lambda: pool.told)
    assert pool.told[0] is not None
    assert "No child has become ready" in pool.told[0]
    process_launcher.gate.set()
    await until(lambda: pool.told[-1] is None)


async def test_a_job_that_waits_is_given_back_with_the_reason_when_starts_fail_long_enough(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity_module, "GIVE_BACK_SECONDS", 0.5)
    process_launcher.problem = LaunchError(REFUSED, evidence="what it said")
    with pytest.raises(LaunchError, match=f"within .* s. {REFUSED}") as caught:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await pool_of(1).spares.take(10 * PATIENCE_SECONDS)
    assert caught.value.evidence == "what it said"


async def test_a_job_that_waits_gets_its_child_when_the_failure_passes(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool]
) -> None:
    pool = pool_of(0)
    process_launcher.problem = LaunchError(REFUSED)
    taking = asyncio.ensure_future(pool.spares.take(LONG_SECONDS))
    await until(lambda: pool.told)
    process_launcher.problem = None
    (await taking).discard()


async def test_a_child_that_can_not_be_moved_into_its_cgroup_counts_as_not_started(
    process_launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares_module, "JOIN_SECONDS", 0.01)

    class Hanging:
        async def join(self, pid: int, ask: object = None) -> None:
            await asyncio.Event().wait()

        def remove(self) -> None: ...

    class Cgroups:
        def new(self) -> Hanging:
            return Hanging()

    pool = Pool(SparePool(process_launcher, 1, Cgroups()))  # type: ignore[arg-type]
    pool.spares.refill()
    await until(lambda: pool.told)
    assert pool.told[0] is not None
    assert "could not be moved into its cgroup within 0.01 s" in pool.told[0]
    await pool.spares.close()


async def test_spares_that_die_as_soon_as_they_are_ready_are_a_failure_to_start_and_come_with_pauses(
    process_launcher: ProcessLauncher, pool_of: Callable[[int], Pool], caplog: pytest.LogCaptureFixture
) -> None:
    spawn_child = process_launcher.spawn_child

    async def dying(*, rehearses: bool = True) -> Child:
        child = await spawn_child()
        child.kill()
        return child

    process_launcher.spawn_child = dying  # type: ignore[method-assign]
    pool = pool_of(1)
    pool.spares.refill()
    await until(lambda: pool.told and pool.told[-1])
    assert pool.told[-1] is not None
    assert "end as soon as they are ready" in pool.told[-1]
    assert "SIGKILL" in pool.told[-1]
    born = len(process_launcher.started)
    assert born <= spares_module._YOUNG_DEATHS + capacity_module.FAILURES_UNTIL_LOST + 2
    process_launcher.spawn_child = spawn_child  # type: ignore[method-assign]
    await until(lambda: pool.told[-1] is None)
    assert pool.spares.room is None


async def test_the_same_failure_is_said_once(
    process_launcher: ProcessLauncher,
    pool_of: Callable[[int], Pool],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(spares_module, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(spares_module, "_LONGEST_PAUSE_SECONDS", 0.001)
    process_launcher.problem = LaunchError(REFUSED)
    pool = pool_of(1)
    pool.spares.refill()
    await until(lambda: process_launcher.asked >= 10)
    assert len(told(caplog, ChildrenFailing)) == 1
    assert pool.told == [REFUSED]
    process_launcher.problem = None
