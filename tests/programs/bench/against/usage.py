"""What a worker's processes have used, the ended ones included, read while none comes or goes."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from supervisor.process.proc import tree_below
from tests.programs.bench.errors import BenchError

_LOOK_SECONDS: Final = 0.05
_CALM_LOOKS: Final = 3
_CALM_LOOKS_ANYWAY: Final = 30
_REST_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time and minor page faults of a whole tree, from the start of its first process on."""

    cpu_seconds: float
    minor_faults: int

    def __sub__(self, earlier: Self) -> "Usage":
        """Return what was used between two readings."""
        return Usage(self.cpu_seconds - earlier.cpu_seconds, self.minor_faults - earlier.minor_faults)


@dataclass(frozen=True, slots=True)
class Rest:
    """A tree at rest: its processes, and what they have used so far."""

    pids: frozenset[int]
    usage: Usage


def pids_of_tree(keeper: int) -> frozenset[int]:
    """Return the keeper and all that is below it."""
    return frozenset(tree_below([keeper]).parents)


async def at_rest(keeper: int, processes: int | None = None) -> Rest:
    """Wait until no process comes or goes any more, and read. Raises `BenchError` when that takes too long.

    With `processes`, a moment of calm is enough once there are as many as that: the spares that the last jobs have
    used up must be there again, or what they cost would be counted for the next jobs. Otherwise it takes a long calm.
    """
    end = time.monotonic() + _REST_SECONDS
    calm, before = 0, frozenset[int]()
    while time.monotonic() < end:
        pids = pids_of_tree(keeper)
        calm = calm + 1 if pids == before else 0
        if calm >= (_CALM_LOOKS if len(pids) == processes else _CALM_LOOKS_ANYWAY):
            usage = _usage(pids)
            if usage is not None and pids_of_tree(keeper) == pids:
                return Rest(pids, usage)
        before = pids
        await asyncio.sleep(_LOOK_SECONDS)
    raise BenchError(f"The worker did not come to rest within {_REST_SECONDS:g} s.")


def memory_mb(pids: frozenset[int]) -> float | None:
    """Return the memory of these processes, shared pages split among all that share them (PSS).

    `None` where this user may not look: the kernel shows it to root only, since supervisor and keeper hide theirs.
    """
    total_kb = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1024


def _usage(pids: frozenset[int]) -> Usage | None:
    """Add up what each process has used, and what was used by those that it has waited for.

    Nobody is missed and nobody counted twice: whoever ends is waited for by a member of the tree, at the latest by the
    keeper, to which orphans fall.
    """
    ticks = faults = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # proc_pid_stat(5), from field 3 on; the name in parentheses may itself hold spaces.
        fields = text.rpartition(")")[2].split()
        faults += int(fields[7]) + int(fields[8])
        ticks += sum(map(int, fields[11:15]))
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), faults)
