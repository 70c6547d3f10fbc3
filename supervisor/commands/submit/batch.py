"""Many jobs at once: the engine takes all or none, and each is followed to its result."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from supervisor.commands.blockserver.block_lookup import NoSuchBlockError
from supervisor.commands.blockserver.job_request import ENTITY_LISTS
from supervisor.commands.submit.block_lookup import choose_offered
from supervisor.commands.submit.engine_lookup import block_meant, what_it_runs_on
from supervisor.commands.submit.job_follower import JobLines
from supervisor.commands.submit.job_lines import BadLinesError, JobLine
from supervisor.commands.submit.report import report_of
from supervisor.engine.submission import OfferedBlock, Submissions
from supervisor.errors import EngineError

_LOOK_SECONDS: Final = 0.1
_AT_ONCE: Final = 8
"""How many jobs it asks the engine about at a time."""
_AWAY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class SubmittedLine:
    """A line whose job the engine has taken."""

    number: int
    job_id: str
    block: str


async def submit_lines(engine: Submissions, lines: Sequence[JobLine]) -> list[SubmittedLine]:
    """Submit all lines in one request.

    Raises `BadLinesError` and `EngineError`: then nothing was submitted, unless the error says otherwise.
    """
    if not lines:
        return []
    blocks = await _blocks_meant(engine, lines)
    problems: list[tuple[int, str]] = []
    bodies: list[dict[str, Any]] = []
    for line in lines:
        block = blocks[line.block]
        if isinstance(block, NoSuchBlockError):
            problems.append((line.number, str(block)))
            continue
        place = what_it_runs_on(block, line.run_on, line.entity_id, line.body.get("context") or {})
        if place["runOn"] in ENTITY_LISTS and "entityId" not in place:
            problems.append(
                (line.number, f"{block.id} runs on a {place['runOn']}. Give one in context, or entity_id")
            )
        bodies.append({"block": block.id, "type": line.job_type, **line.body, **place})
    if problems:
        raise BadLinesError(problems)
    ids = await engine.submit_all(bodies)
    return [
        SubmittedLine(line.number, job_id, body["block"])
        for line, job_id, body in zip(lines, ids, bodies, strict=True)
    ]


async def _blocks_meant(
    engine: Submissions, lines: Sequence[JobLine]
) -> dict[str, OfferedBlock | NoSuchBlockError]:
    names = list(dict.fromkeys(line.block for line in lines))
    found: dict[str, OfferedBlock | NoSuchBlockError] = {}
    try:  # waits for a worker that is still starting
        found[names[0]] = await block_meant(engine, names[0])
    except NoSuchBlockError as error:
        found[names[0]] = error
    offered = await engine.blocks() if names[1:] else []
    for name in names[1:]:
        try:
            found[name] = choose_offered(offered, name)
        except NoSuchBlockError as error:
            found[name] = error
    return found


async def results_of(
    engine: Submissions,
    submitted: Sequence[SubmittedLine],
    log: JobLines,
    *,
    timeout_seconds: float | None,
) -> AsyncIterator[dict[str, Any]]:
    """Yield a report for each job as it ends. At the end, yield one with `success: None` for each that is not done.

    If the engine does not know a job, the others are still reported. Raises `EngineError`: for such a job after all
    others are reported, and at once if the engine is away for long. The jobs go on, also if this is cancelled.
    """
    began = heard = time.monotonic()
    waiting = list(submitted)
    refused: EngineError | None = None
    while waiting:
        still: list[SubmittedLine] = []
        for first in range(0, len(waiting), _AT_ONCE):
            some = waiting[first : first + _AT_ONCE]
            answers = await asyncio.gather(*(_job_or_error(engine, each.job_id) for each in some))
            if any(isinstance(answer, dict) for answer in answers):
                heard = time.monotonic()
            # An engine that is being restarted has kept the jobs.
            is_away = time.monotonic() - heard > _AWAY_SECONDS
            for each, answer in zip(some, answers, strict=True):
                if isinstance(answer, EngineError):
                    if is_away:
                        raise answer
                    if answer.retryable:
                        still.append(each)
                    else:
                        refused = refused or answer
                elif answer.get("status") == "pushed":
                    cause = await log.cause_of(each.job_id, lambda _: None)
                    yield {"line": each.number, **report_of(answer, cause)}
                else:
                    still.append(each)
        waiting = still
        if timeout_seconds is not None and time.monotonic() - began >= timeout_seconds:
            break
        if waiting:
            await asyncio.sleep(_LOOK_SECONDS)
    for each in waiting:
        yield {"line": each.number, "job": each.job_id, "block": each.block, "success": None}
    if refused is not None:
        raise refused


async def _job_or_error(engine: Submissions, job_id: str) -> dict[str, Any] | EngineError:
    try:
        return await engine.job(job_id)
    except EngineError as error:
        return error
