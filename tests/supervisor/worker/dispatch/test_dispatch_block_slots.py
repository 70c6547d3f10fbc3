"""Blocks with slots of their own: never more of their jobs at a time, and none of them lost or kept for ever."""

from pathlib import Path

import pytest
from dispatch_support import SETTINGS, block_entry, job, scene, success

from jobrunner.protocol.catalogue import Catalogue
from supervisor.log.events.jobs import JobWaits
from tests.log_events import facts_of, records_of
from tests.patience import until

BACKUP, PING = "acme/backup:1.0.0", "acme/ping:1.0.0"
BLOCKS = (block_entry(BACKUP, max_concurrent=1), block_entry(PING))


async def test_no_more_jobs_of_a_block_run_than_may_and_jobs_of_others_go_past_those_that_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with scene(tmp_path, slots=3, blocks=BLOCKS) as stage:
        await stage.accept(job("a", BACKUP), job("b", BACKUP), job("c", PING))
        await until(lambda: len(stage.runner.running) == 2, "two run")
        assert stage.runner.started == ["a", "c"]
        assert (stage.dispatcher.busy, stage.dispatcher.free_slots) == (3, 1)
        (record,) = records_of(caplog, JobWaits)
        assert facts_of(record) == {"job": "b", "block": BACKUP, "max_concurrent": 1}
        await stage.end("a", success())
        await until(lambda: "b" in stage.runner.running, "the one that waited runs")
        await until(lambda: stage.dispatcher.free_slots == 1, "the slot of the one that has ended is free")
        await stage.end("b", success())
        await stage.end("c", success())
        await until(lambda: stage.dispatcher.free_slots == 3, "all slots are free")


async def test_a_job_that_waits_for_its_full_block_takes_no_slot(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=3, blocks=BLOCKS) as stage:
        await stage.accept(job("a", BACKUP), job("b", BACKUP))
        await until(lambda: stage.runner.running, "the first runs")
        assert (stage.dispatcher.busy, stage.dispatcher.slots_taken) == (2, 1)


async def test_a_full_block_is_left_out_of_the_poll_until_its_job_has_ended(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=3, blocks=BLOCKS) as stage:
        assert stage.dispatcher.to_ask_for(BLOCKS, 3, 0) == ([*BLOCKS], 1)
        await stage.accept(job("a", BACKUP))
        assert stage.dispatcher.to_ask_for(BLOCKS, 2, 0) == ([BLOCKS[1]], 2)
        await stage.end("a", success())
        # A turn of the loop after its task is done.
        await until(
            lambda: stage.dispatcher.to_ask_for(BLOCKS, 3, 0) == ([*BLOCKS], 1), "it is asked for again"
        )


async def test_where_no_block_has_slots_of_its_own_a_poll_asks_for_the_very_same_blocks(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, slots=3) as stage:
        blocks = [block_entry()]
        assert stage.dispatcher.to_ask_for(blocks, 3, 0)[0] is blocks


async def test_a_job_that_waits_for_its_block_fails_while_the_engine_still_waits_for_it(
    tmp_path: Path,
) -> None:
    timeout = SETTINGS.max_job_seconds + SETTINGS.grace_seconds + 0.1
    async with scene(tmp_path, slots=3, blocks=BLOCKS, engine_job_timeout_seconds=timeout) as stage:
        await stage.accept(job("a", BACKUP), job("b", BACKUP))
        result = await stage.result_of("b")
        assert result["result"]["message"].startswith(
            "Not run: it waited 0 s for a slot of its block, of which 1 may run at a time."
        )
        assert result["result"]["retryable"] is True
        await until(lambda: stage.dispatcher.busy == 1, "only the first one is left")
        assert stage.dispatcher.to_ask_for(BLOCKS, 2, 0) == ([BLOCKS[1]], 2)
        await stage.end("a", success())
        await until(lambda: stage.dispatcher.to_ask_for(BLOCKS, 3, 0) == ([*BLOCKS], 1), "asked for again")
        assert stage.runner.started == ["a"]


async def test_a_reload_that_gives_a_block_more_slots_has_its_jobs_begin(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=3, blocks=BLOCKS) as stage:
        await stage.accept(job("a", BACKUP), job("b", BACKUP))
        stage.dispatcher.offer(Catalogue(blocks=(block_entry(BACKUP, max_concurrent=2),)))
        await until(lambda: len(stage.runner.running) == 2, "both run")
        await stage.end("a", success())
        await stage.end("b", success())
