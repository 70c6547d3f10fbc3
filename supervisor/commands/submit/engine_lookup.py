"""Questions to an engine before a job is submitted: which block is meant, and what it runs on."""

import asyncio
import time
from typing import Any, Final

from supervisor.commands.blockserver.block_lookup import NoSuchBlockError
from supervisor.commands.blockserver.job_request import only_entity
from supervisor.commands.submit.block_lookup import choose_offered
from supervisor.engine.submission import OfferedBlock, Submissions
from supervisor.errors import EngineError

_WORKER_COMES_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.25
_NO_LIST: Final = (401, 403, 404)


async def block_meant(engine: Submissions, wanted: str) -> OfferedBlock:
    """Return the meant block. If the engine has just started, wait some time for its worker.

    Raises `NoSuchBlockError` and `EngineError`.
    """
    end = time.monotonic() + _WORKER_COMES_SECONDS
    while True:
        offered = await _blocks(engine)
        try:
            return choose_offered(offered, wanted)
        except NoSuchBlockError:
            if any(block.workers_online for block in offered) or time.monotonic() > end:
                raise
        await asyncio.sleep(_LOOK_SECONDS)


async def _blocks(engine: Submissions) -> list[OfferedBlock]:
    try:
        return await engine.blocks()
    except EngineError as error:
        # A neops engine wants a token for its list. But the important message is that it takes no jobs from here.
        if error.status in _NO_LIST:
            await engine.submit({})
        raise


def what_it_runs_on(
    block: OfferedBlock, run_on: str | None, entity_id: float | None, context: dict[str, Any]
) -> dict[str, Any]:
    """Return `runOn` and `entityId` of a job: as given, otherwise from the block's registration and the context."""
    run_on = run_on or block.run_on
    if entity_id is None:
        entity_id = only_entity(run_on, context)
    return {"runOn": run_on} | ({} if entity_id is None else {"entityId": entity_id})
