"""Kills what a dead child left behind: what is in its cgroup, if it has one, and what is not, or no longer, in it."""

import asyncio
import signal
from dataclasses import dataclass
from typing import Final

from supervisor.launcher.interface import Launcher
from supervisor.launcher.known_children import direct_children
from supervisor.launcher.ownership import JobProcesses, by_owner, unannounced
from supervisor.launcher.strays import Strays
from supervisor.launcher.sweep_rounds import SweepRounds

_BOUND_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.001
_START_PAUSE_SECONDS: Final = 0.05
_MOST_ON_THE_LOOP: Final = 8
"""How many processes it looks at without a thread: about 50 us for each."""


@dataclass(frozen=True, slots=True)
class Swept:
    """How many processes were killed, and how many could not be."""

    killed: int
    remaining: int


class Sweeper:
    """Clears the trees below children that have ended, each by itself.

    A dead child's descendants become children of the supervisor (it is the nearest subreaper left), even if they
    called setsid or forked twice. Each round stops all below those, then kills it; missed processes become children
    too. The sweep leaves another job's processes to that job's own sweep, whether the job runs, ends, or can't be
    killed. `Strays` kills processes that belong to nobody, and no job is blamed for them.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._jobs: dict[JobProcesses, SweepRounds] = {}
        self._strays = Strays(self._nobodys)

    def enter(self, job: JobProcesses) -> None:
        """Note a job before it can start anything."""
        self._jobs.setdefault(job, SweepRounds(job.groups))

    def leave(self, job: JobProcesses) -> None:
        """Forget a job when nothing of it is left. Processes found later belong to nobody."""
        self._jobs.pop(job, None)

    def clear_if_empty(self, job: JobProcesses) -> bool:
        """Do what `clear` does if nothing is left of `job`, without waiting. Returns whether that was so.

        Raises `OSError` as `clear` does. Call `clear` in that case, too.
        """
        self.enter(job)
        job.groups.hold()
        job.groups.send(signal.SIGSTOP)
        return not job.cgroup.processes() and not self._unknown()[0]

    async def clear(self, job: JobProcesses, bound_seconds: float | None = None) -> Swept:
        """Kill every leftover of `job`, whose child is dead and was not reaped. Its groups are stopped at once.

        Gives up when nothing of it has ended for `bound_seconds` (5 s). If some group of the job is not known, it gives
        up after four times as long at most. What is in its cgroup is killed first, before it can fork or leave. It may
        be called again for what remained.

        Cancelling stops between two rounds; the next call finds what is left. Raises `OSError` if nothing can be looked
        at, because no descriptor is left: the job stays entered, and its child must stay a zombie until a later call
        succeeds.
        """
        if self.clear_if_empty(job):
            return Swept(0, 0)
        job.remember_session()
        return await self._clear(
            job, self._jobs[job], _BOUND_SECONDS if bound_seconds is None else bound_seconds
        )

    async def _clear(self, job: JobProcesses, rounds: SweepRounds, bound_seconds: float) -> Swept:
        rounds.begin(bound_seconds)
        leftovers = await self._leftovers_of(job)
        while leftovers - rounds.traced or job.cgroup.processes():
            # In a thread: it may have to wait for a process that moves between cgroups.
            if job.cgroup.processes():
                rounds.killed |= await asyncio.to_thread(job.cgroup.kill)
            # In a thread: for a bomb, it reads, signals and reaps thousands. Only this sweep reaps them, so no other
            # process can get their numbers meanwhile.
            await asyncio.to_thread(rounds.go_over, leftovers)
            if not leftovers:  # all of them are in the cgroup, and about to end
                await asyncio.sleep(_PAUSE_SECONDS)
            leftovers = await self._leftovers_of(job)
            if rounds.is_over():
                break
        remaining = leftovers - rounds.traced | job.cgroup.processes()
        return Swept(len(rounds.killed - remaining), len(remaining))

    async def _leftovers_of(self, job: JobProcesses) -> set[int]:
        owned = await self._owned()
        if None in owned:
            self._strays.notice()
        return owned.get(job, set())

    async def _nobodys(self) -> set[int]:
        while True:
            owned, starting = await self._owned_and_starting()
            if None in owned or not starting:
                return owned.get(None, set())
            # Whether these are strays is known when the asked forker has answered, or was replaced.
            await asyncio.sleep(_START_PAUSE_SECONDS)

    async def _owned(self) -> dict[JobProcesses | None, set[int]]:
        return (await self._owned_and_starting())[0]

    async def _owned_and_starting(self) -> tuple[dict[JobProcesses | None, set[int]], set[int]]:
        (unknown, sessions), jobs = self._unknown(), tuple(self._jobs)

        def look() -> tuple[dict[JobProcesses | None, set[int]], set[int]]:
            starting = unannounced(unknown, jobs, sessions)
            return by_owner(unknown - starting, jobs), starting

        if len(unknown) > _MOST_ON_THE_LOOP:
            return await asyncio.to_thread(look)
        return look()

    def _unknown(self) -> tuple[set[int], frozenset[int]]:
        """Return the children that were not announced, and the sessions in which some may have just begun."""
        children = direct_children()
        # In this order: each child in the list was announced by now, or is still awaited in one of the sessions.
        sessions = self._launcher.drain_starts()
        return self._launcher.known_children.unknown(children), sessions

    def look_for_strays(self) -> None:
        """Look in the background for processes that no job has left: an imported module may have left them.

        From now on it looks again whenever a process has ended that forks for this one.
        """
        self._launcher.known_children.on_orphans(self._strays.notice)
        self._strays.notice()

    async def close(self) -> None:
        """Stop looking for strays. The keeper kills what is left."""
        await self._strays.close()
