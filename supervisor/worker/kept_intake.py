"""The pause or drain in the journal: a start after a kill reads it, and a worker that is stopped forgets it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from supervisor.journal import Ledger
from supervisor.lifecycle.kept_intake import NOTHING
from supervisor.process.tasks import Tasks
from supervisor.worker.intake import Intake

INTAKE_FACT: Final = "intake"


async def take_kept(journal: Ledger) -> str:
    """Return the pause or drain that an earlier run has left.

    Nothing if the state directory may be a copy: then somebody has paused another worker.
    """
    if journal.doubt is not None:
        await forget(journal)
    return await journal.fact(INTAKE_FACT) or NOTHING


async def restore_when_read(journal: Ledger, intake: Intake) -> None:
    """Continue an earlier run's pause or drain as soon as a journal is read that the start could not read.

    Otherwise it would come back at the start after the next crash, days later.
    """
    await journal.read()
    intake.restore_late(await take_kept(journal))


async def forget(journal: Ledger) -> None:
    """Make the next start poll for jobs."""
    if await journal.fact(INTAKE_FACT):
        await journal.remember(INTAKE_FACT, NOTHING)


@contextlib.asynccontextmanager
async def forgotten_when_stopped(journal: Ledger, wanted: asyncio.Event) -> AsyncIterator[None]:
    """Forget it as soon as `wanted` says that somebody stops the worker: before its jobs have ended.

    A person who stops the worker may kill it meanwhile, and expects that the next start polls for jobs.
    """
    tasks = Tasks()

    async def forget_then() -> None:
        await wanted.wait()
        await forget(journal)

    tasks.start(forget_then(), "end of a pause with the worker")
    try:
        yield
    finally:
        await tasks.close()
        if wanted.is_set():
            await forget(journal)
