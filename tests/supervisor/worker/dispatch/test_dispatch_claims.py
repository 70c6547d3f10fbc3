"""Claims on their way to the disk: who waits for them, and who does not."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dispatch_support import Scene, job, scene, success

from tests.patience import PATIENCE_SECONDS, until


@asynccontextmanager
async def held_up(stage: Scene) -> AsyncIterator[list[str]]:
    """Have the disk take nothing meanwhile; the list is of the statements that it gets."""
    writer, go_on, statements = stage.ledger._durable_copy.journal._writer, threading.Event(), list[str]()
    database = writer.database
    assert database is not None
    await writer.call(lambda: database.set_trace_callback(statements.append))
    held = writer.call(lambda: go_on.wait(2 * PATIENCE_SECONDS))
    try:
        yield statements
    finally:
        go_on.set()
        await held


async def test_a_poll_goes_on_while_the_claims_of_the_last_one_are_not_on_the_disk(tmp_path: Path) -> None:
    """And all of them share one transaction."""
    async with scene(tmp_path, slots=3) as stage:
        async with held_up(stage) as statements:
            for name in "abc":
                await asyncio.wait_for(stage.accept(job(name)), PATIENCE_SECONDS)
            assert stage.ledger.known_job_ids() == set("abc")
            await asyncio.sleep(0)
            assert stage.runner.started == []
        await until(lambda: len(stage.runner.running) == 3, "they run")
        assert [each for each in statements if each.startswith("COMMIT")] == ["COMMIT"]
        for name in "abc":
            await stage.end(name, success())


async def test_a_refusal_is_on_the_disk_with_its_claim_or_after_it_and_only_then_sent(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        async with held_up(stage) as statements:
            accepting = asyncio.ensure_future(stage.accept(job("a", "acme/gone:1.0.0")))
            await until(lambda: stage.calls and stage.calls[-1][0] == "claim", "it is claimed")
            await asyncio.sleep(0.01)
            assert stage.engine.got == []
        await accepting
        await stage.result_of("a")
        written = [each.split(" VALUES ")[1] for each in statements if "INTO claims" in each]
        assert ["x'7b" in each.lower() for each in written] == [False, True]


async def test_a_disk_that_does_not_take_a_claim_stops_no_job(tmp_path: Path) -> None:
    """It is in memory first (docs/adr/0008)."""
    async with scene(tmp_path) as stage:
        database = stage.ledger._durable_copy.journal._writer.database
        assert database is not None
        await stage.ledger._durable_copy.journal._writer.call(
            lambda: database.execute("PRAGMA query_only = ON")
        )
        await stage.accept(job("a"))
        await stage.end("a", success())
        assert (await stage.result_of("a"))["status"] == "success"
