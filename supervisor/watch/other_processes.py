"""The processes of a job besides its first one, as the kernel shows them. It sends them nothing."""

import asyncio
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.masking import Masked
from supervisor.process.proc import living_thread, status_of, tree_below
from supervisor.watch.fair_mask import FairMask
from supervisor.watch.kernel import waits_in

MOST_SHOWN: Final = 50
_MOST_TASKS: Final = 4096


@dataclass(frozen=True, slots=True)
class OtherProcess:
    """One of them. `name` is the program's, masked, because the process can set it. `state` is the kernel's letter:
    R running, S sleeping, D waiting for a device, T or t stopped, Z ended and not reaped yet.

    `waits_in` is the kernel's function in which it sleeps; empty if it runs, or if this user may not see it.
    """

    pid: int
    name: Masked
    state: str
    waits_in: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    pid: int
    name: str
    state: str
    waits_in: str


async def other_processes(pid: int, fair_mask: FairMask) -> tuple[OtherProcess, ...]:
    """Return the processes below `pid`, the oldest number first, at most `MOST_SHOWN`.

    A process whose parents have all ended is not among them. May be cancelled.
    """
    looks = await asyncio.to_thread(_look_below, pid)
    return tuple(
        [OtherProcess(each.pid, await fair_mask.text(each.name), each.state, each.waits_in) for each in looks]
    )


def _look_below(pid: int) -> list[_Look]:
    below = tree_below([pid], most_tasks=_MOST_TASKS).parents
    looks: list[_Look] = []
    for other in sorted(each for each in below if each != pid)[:MOST_SHOWN]:
        status = status_of(living_thread(other))
        # If a process has ended meanwhile, another one may have got its number.
        if status.get("PPid") == str(below[other]):
            looks.append(_Look(other, status.get("Name", ""), status.get("State", "")[:1], waits_in(other)))
    return looks
