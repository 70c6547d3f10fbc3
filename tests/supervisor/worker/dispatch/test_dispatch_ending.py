"""A job whose outcome has come: the next one is asked for at once, and begins when the slot is free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dispatch_support import BLOCK, Scene, block_entry, job, scene, success

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.worker.ending_jobs import SOON_SECONDS
from tests.patience import PATIENCE_SECONDS, until


@asynccontextmanager
async def many_jobs(
    directory: Path, *, slots: int = 1, blocks: tuple[BlockEntry, ...] | None = None
) -> AsyncIterator[Scene]:
    """Yield a scene whose engine has more jobs than there are slots: job "a" runs."""
    async with scene(directory, slots=slots, blocks=blocks) as stage:
        await stage.accept(job("first"), limit=1)
        await stage.end("first", success())
        await stage.accept(job("a"), limit=1)
        await until(lambda: "a" in stage.runner.running, "it runs")
        stage.dispatcher.changed.clear()
        yield stage


async def outcome_of(stage: Scene, job_id: str) -> None:
    await until(lambda: job_id in stage.runner.running, f"job {job_id} runs")
    stage.runner.on_outcome[job_id](success())


async def test_a_slot_is_asked_for_from_the_outcome_on_and_given_when_its_job_is_over(tmp_path: Path) -> None:
    async with many_jobs(tmp_path) as stage:
        assert stage.dispatcher.free_slots == 0
        await outcome_of(stage, "a")
        await asyncio.wait_for(stage.dispatcher.changed.wait(), PATIENCE_SECONDS)
        assert stage.dispatcher.free_slots == 1
        await stage.accept(job("b"), limit=1)
        assert (stage.dispatcher.free_slots, stage.runner.started) == (0, ["first", "a"])
        await stage.end("a", success())
        await until(lambda: stage.runner.started == ["first", "a", "b"], "the next job has the slot")
        assert stage.dispatcher.free_slots == 0


async def test_a_slot_that_was_asked_for_already_is_told_of_once(tmp_path: Path) -> None:
    async with many_jobs(tmp_path) as stage:
        await outcome_of(stage, "a")
        await asyncio.wait_for(stage.dispatcher.changed.wait(), PATIENCE_SECONDS)
        stage.dispatcher.changed.clear()
        await stage.end("a", success())
        assert not stage.dispatcher.changed.is_set()
        assert stage.dispatcher.free_slots == 1


async def test_in_no_turn_of_the_loop_is_a_slot_counted_twice(tmp_path: Path) -> None:
    async with many_jobs(tmp_path) as stage:
        await outcome_of(stage, "a")
        seen: list[int] = []

        def look() -> None:
            seen.append(stage.dispatcher.free_slots)
            if stage.dispatcher.busy:
                asyncio.get_running_loop().call_soon(look)

        look()
        await stage.end("a", success())
        assert set(seen) == {1}


async def test_each_outcome_is_told_also_one_that_follows_another(tmp_path: Path) -> None:
    async with many_jobs(tmp_path, slots=2) as stage:
        await stage.accept(job("b"), limit=1)
        for job_id in "ab":
            await outcome_of(stage, job_id)
            await asyncio.wait_for(stage.dispatcher.changed.wait(), PATIENCE_SECONDS)
            stage.dispatcher.changed.clear()
        assert stage.dispatcher.free_slots == 2


async def test_where_no_more_jobs_wait_a_slot_is_asked_for_when_it_is_free(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        for job_id in "ab":
            await stage.accept(limit=1)  # a poll that has brought nothing
            await stage.accept(job(job_id), limit=1)
            await outcome_of(stage, job_id)
            assert stage.dispatcher.free_slots == 0
            stage.dispatcher.changed.clear()
            await stage.end(job_id, success())
            assert stage.dispatcher.changed.is_set()


async def test_a_job_that_lingers_keeps_its_slot_and_the_slot_is_told_of_when_it_is_free(
    tmp_path: Path,
) -> None:
    async with many_jobs(tmp_path) as stage:
        await outcome_of(stage, "a")
        await asyncio.wait_for(stage.dispatcher.changed.wait(), PATIENCE_SECONDS)
        stage.dispatcher.changed.clear()
        stage.now += SOON_SECONDS
        assert stage.dispatcher.free_slots == 0
        await stage.end("a", success())
        assert stage.dispatcher.changed.is_set()
        assert stage.dispatcher.free_slots == 1


async def test_a_block_with_slots_of_its_own_is_not_asked_for_before_one_is_free(tmp_path: Path) -> None:
    async with many_jobs(tmp_path, slots=2, blocks=(block_entry(max_concurrent=1),)) as stage:
        await outcome_of(stage, "a")
        assert stage.dispatcher.to_ask_for([block_entry(BLOCK)], stage.dispatcher.free_slots, 0)[0] == []
        assert stage.dispatcher.free_slots == 1
        await stage.end("a", success())
        assert stage.dispatcher.changed.is_set()


async def test_who_waits_until_the_worker_is_idle_is_told_of_jobs_that_were_foreseen(tmp_path: Path) -> None:
    async with many_jobs(tmp_path, slots=2) as stage:
        await stage.accept(job("b"), limit=1)
        await outcome_of(stage, "a")
        idle = asyncio.ensure_future(stage.dispatcher.wait_until_idle())
        await asyncio.sleep(0)
        await outcome_of(stage, "b")
        assert stage.dispatcher.free_slots == 0
        await stage.end("a", success())
        assert not idle.done()
        await stage.end("b", success())
        await asyncio.wait_for(idle, 30)
