"""Children in waiting: one is ready before its job comes."""

import asyncio
import logging
import os
from collections import deque

from supervisor.errors import LaunchError
from supervisor.launcher.child import Child
from supervisor.launcher.interface import Launcher
from supervisor.launcher.repeating_failure import RepeatingFailure
from supervisor.log.event import tell
from supervisor.log.events.processes import ChildrenFailing, ChildrenRestored, SpareDied
from supervisor.process.cgroups.worker import Cgroups
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 1.0
"""Jobs wait for it: work is to go on soon after the machine can start processes again."""


class SparePool:
    """Keeps up to ``target`` ready children, and starts more when asked, at most one per core at a time."""

    def __init__(self, launcher: Launcher, target: int, cgroups: Cgroups | None = None) -> None:
        self._launcher = launcher
        self._target = target
        self._cgroups = cgroups
        self._ready: deque[Child] = deque()
        self._waiting: deque[asyncio.Future[Child]] = deque()
        self._starting = Tasks()
        self._joining = 0
        self._at_once = os.cpu_count() or 1
        self._pause = _FIRST_PAUSE_SECONDS
        self._failure = RepeatingFailure(_log)
        self._generation = 0
        self._closed = False

    async def take(self, timeout_seconds: float) -> Child:
        """Return a ready child. Raises `LaunchError` when none comes in time.

        When cancelled, the child that was on its way becomes a spare.
        """
        while self._ready:
            child = self._ready.popleft()
            if not child.exited.done():
                return child
            child.reap_and_close()
        wanted: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._waiting.append(wanted)
        self.refill()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await wanted
        except TimeoutError as error:
            raise LaunchError(
                f"No child could be started within {timeout_seconds:g} s; see the log."
            ) from error
        finally:
            if wanted in self._waiting:
                self._waiting.remove(wanted)

    def refill(self) -> None:
        """Start what is missing, in the background. Called after a job's outcome, so as not to slow it down."""
        if self._closed:
            return
        missing = self._target + len(self._waiting) - len(self._ready) - len(self._starting)
        # Those that join their cgroup wait for the kernel, not for a core: any number may do so at once.
        for _ in range(min(missing, self._at_once - len(self._starting) + self._joining)):
            task = self._starting.start(self._start_one(), "start of a child")
            task.add_done_callback(lambda _: self.refill())

    def renew(self) -> None:
        """Give up every spare, also those on their way: they have imported what is no longer in force."""
        self._generation += 1
        while self._ready:
            self._ready.popleft().discard()
        self.refill()

    async def _start_one(self) -> None:
        generation = self._generation
        try:
            child = await self._bear()
        except LaunchError as error:
            self._failure.failed(ChildrenFailing(reason=str(error), evidence=error.evidence))
            await self._pause_a_while()
            return
        except Exception as error:  # whatever it is: without a pause the next try would follow at once
            failing = ChildrenFailing(
                reason="A bug in this worker keeps it from starting children.", evidence=""
            )
            self._failure.failed(failing, level=logging.ERROR, error=error)
            await self._pause_a_while()
            return
        self._failure.over(ChildrenRestored())
        self._pause = _FIRST_PAUSE_SECONDS
        if self._closed or generation != self._generation:
            child.discard()
            return
        while self._waiting:
            wanted = self._waiting.popleft()
            if not wanted.done():
                wanted.set_result(child)
                return
        self._ready.append(child)
        child.exited.add_done_callback(lambda _: self._died_waiting(child))

    async def _pause_a_while(self) -> None:
        pause = self._pause
        self._pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause)

    async def _bear(self) -> Child:
        child = await self._launcher.spawn_child()
        if self._cgroups is not None:
            # Now, while it waits and is a single process: moving one takes milliseconds, which no job has to wait for.
            child.cgroup = self._cgroups.new()
            self._joining += 1
            self.refill()
            try:
                await child.cgroup.join(child.pid)
            except BaseException:
                child.discard()
                raise
            finally:
                self._joining -= 1
        return child

    def _died_waiting(self, child: Child) -> None:
        if child in self._ready:
            self._ready.remove(child)
            child.reap_and_close()
            tell(_log, SpareDied(pid=child.pid, status=str(child.exited.result())))
            self.refill()

    async def close(self) -> None:
        """End every spare."""
        self._closed = True
        await self._starting.close()
        while self._ready:
            child = self._ready.popleft()
            child.kill()
            await child.exited
            child.reap_and_close()
