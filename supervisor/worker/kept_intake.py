"""The pause or the drain in the journal: read by the start after a kill, forgotten by a worker that was stopped."""

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
    """Return what an earlier run has left of a pause or a drain.

    Nothing where the state directory may be a copy: then it was another worker that somebody has paused.
    """
    if journal.doubt is not None:
        await forget(journal)
    return await journal.fact(INTAKE_FACT) or NOTHING


async def restore_when_read(journal: Ledger, intake: Intake) -> None:
    """Go on with what an earlier run has left, as soon as a journal is read that a start could not read.

    Else it would come back at the start after the next crash, days later.
    """
    await journal.read()
    intake.restore_late(await take_kept(journal))


async def forget(journal: Ledger) -> None:
    """Have the next start ask for jobs."""
    if await journal.fact(INTAKE_FACT):
        await journal.remember(INTAKE_FACT, NOTHING)


@contextlib.asynccontextmanager
async def forgotten_when_stopped(journal: Ledger, wanted: asyncio.Event) -> AsyncIterator[None]:
    """Forget it as soon as `wanted` says that somebody stops the worker: before its jobs have ended.

    Who stops it may kill it meanwhile, and what is started after that asks for jobs all the same.
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
