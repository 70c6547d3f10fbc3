"""Killing what a dead child left behind: its cgroup where it has one, and what is not, or no longer, in it."""

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
"""How many processes are looked at without a thread: some 50 us for each."""


@dataclass(frozen=True, slots=True)
class Swept:
    """How many processes were killed, and how many could not be."""

    killed: int
    remaining: int


class Sweeper:
    """Clears the trees below children that have ended, each for itself.

    A dead child's descendants are re-parented to the supervisor (it is the nearest subreaper left), whether they
    called setsid or forked twice. Each round stops all below those, then kills it; what it missed is handed up. What
    belongs to another job is left to that one's sweep, whether it runs, ends, or can't be killed. What belongs to
    nobody is killed by `Strays`, and is no job's fault.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._jobs: dict[JobProcesses, SweepRounds] = {}
        self._strays = Strays(self._nobodys)

    def enter(self, job: JobProcesses) -> None:
        """Take note of a job before it can start anything."""
        self._jobs.setdefault(job, SweepRounds(job.groups))

    def leave(self, job: JobProcesses) -> None:
        """Forget a job of which nothing is left. What comes up later belongs to nobody."""
        self._jobs.pop(job, None)

    def clear_if_empty(self, job: JobProcesses) -> bool:
        """Do what `clear` does where nothing is left of `job`, without waiting. Returns whether that was so.

        Raises `OSError` as `clear` does, which is to be called in that case, too.
        """
        self.enter(job)
        job.groups.hold()
        job.groups.send(signal.SIGSTOP)
        return not job.cgroup.processes() and not self._unknown()[0]

    async def clear(self, job: JobProcesses, bound_seconds: float | None = None) -> Swept:
        """Kill every leftover of `job`, whose child is dead and was not waited for. Its groups are stopped at once.

        Gives up `bound_seconds` (5 s) after something of it has ended; where some group of the job is not known,
        after four times as long at most. What is in its cgroup is killed first, before it can fork or leave. May be
        called again for what remained.

        Cancelling stops between two rounds; what is left is found by the next call. Raises `OSError` where nothing
        can be looked at, for want of a descriptor: the job stays entered, and its child must stay a zombie until a
        later call succeeds.
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
            # In a thread: of a bomb, thousands are read, signalled and waited for. Only this sweep waits for them, so
            # their numbers can't become a stranger's meanwhile.
            await asyncio.to_thread(rounds.go_over, leftovers)
            if not leftovers:  # all of them in the cgroup, and on their way out
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
            # Whether these are strays will be known when whoever is asked for a child has answered, or was replaced.
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
        """Return the children that nobody has heard of, and the sessions in which some may have begun just now."""
        children = direct_children()
        # In this order: a child that is in the list was announced by now, or is still awaited in one of the sessions.
        sessions = self._launcher.drain_starts()
        return self._launcher.known_children.unknown(children), sessions

    def look_for_strays(self) -> None:
        """Look in the background for what no job has left: a module that was imported may have.

        From now on this is done again whenever a process has ended that forks for this one.
        """
        self._launcher.known_children.on_orphans(self._strays.notice)
        self._strays.notice()

    async def close(self) -> None:
        """Stop looking after strays. What is left the keeper kills."""
        await self._strays.close()
