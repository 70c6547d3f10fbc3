"""Running the members in groups, one for each slot, and looking at what each group has left."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.programs.bench.stage import ECHO
from tests.programs.zoo.keepers import GRACE_SECONDS, LIMIT_SECONDS, SLOTS, Keepers
from tests.programs.zoo.members import CONTAINED_BY, Member

_SETTLE_SECONDS: Final = 20.0
"""How long spares may take to be born, and directories to be removed, before they count as left over."""

_PATIENCE_SECONDS: Final = LIMIT_SECONDS + GRACE_SECONDS + 25.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One member's job, the plain job after it, and what was left when its group had ended."""

    member: Member
    job_id: str
    next_job_id: str
    left: tuple[str, ...]


async def visit_all(keepers: Keepers, members: Sequence[Member], is_contained: bool) -> list[Visit]:
    """Run every member and a plain job after each. Raises `BenchError` when a result does not come at all."""
    chosen = [member for member in members if is_contained or not member.needs_containment]
    first = [member for member in chosen if member.block == CONTAINED_BY]
    visits = await _visit_group(keepers, first) if first else []
    others = [member for member in chosen if member.block != CONTAINED_BY]
    for start in range(0, len(others), SLOTS):
        visits += await _visit_group(keepers, others[start : start + SLOTS])
    return visits


async def _visit_group(keepers: Keepers, group: Sequence[Member]) -> list[Visit]:
    engine = keepers.engine
    job_ids = [
        (await engine.submit(f"{member.block}:1.0.0", [dict(member.parameters)]))[0] for member in group
    ]
    await engine.wait_for(job_ids, _PATIENCE_SECONDS + sum(member.extra_seconds for member in group))
    next_ids = await engine.submit(ECHO, [{"text": member.name} for member in group])
    await engine.wait_for(next_ids, _PATIENCE_SECONDS)
    left = await _left(keepers)
    return [
        Visit(member, job_id, next_id, left)
        for member, job_id, next_id in zip(group, job_ids, next_ids, strict=True)
    ]


async def _left(keepers: Keepers) -> tuple[str, ...]:
    """Return what is still there when everything of the worker's own has come to rest."""
    end = time.monotonic() + _SETTLE_SECONDS
    while True:
        is_last = time.monotonic() > end
        left = (*keepers.strangers(), *keepers.directories())
        if not left or is_last:
            return left
        await asyncio.sleep(0.02)
