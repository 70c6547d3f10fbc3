"""Spares: children that are ready before their job comes."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from typing import Final

from supervisor.errors import LaunchError
from supervisor.launcher.child import Child
from supervisor.launcher.child_wait import ChildWait
from supervisor.launcher.endings import MOMENT_SECONDS
from supervisor.launcher.interface import Launcher
from supervisor.launcher.repeating_failure import RepeatingFailure
from supervisor.lifecycle.capacity import Capacity
from supervisor.log.event import tell
from supervisor.log.events.processes import ChildrenFailing, ChildrenRestored, SpareDied
from supervisor.process.cgroups.worker import Cgroups
from supervisor.process.tasks import Tasks
from supervisor.process.time_limit import FairTimer, TimeLimit, time_limit

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 1.0
"""Jobs wait for it: work must go on soon after the machine can start processes again."""

JOIN_SECONDS: Final = 10.0
"""How long a child may take to be moved into its cgroup. It takes milliseconds."""

LONGEST_START_SECONDS: Final = 180.0
"""The longest start, with all time-outs: for a user, a fork, readiness, cgroup, and the pause after it."""

BUSY_SECONDS: Final = 0.5
"""If a job has waited for a child within this time, there are more jobs than children: none rehearses."""

_YOUNG_SECONDS: Final = 1.0
_YOUNG_DEATHS: Final = 2
"""After so many spares in a row that died so soon, the next ones count as started only when they have lived so long."""

OnCapacity = Callable[[str | None], None]
"""Gets why no job can be started, `None` if one can again."""


class SparePool:
    """Keeps up to `target` ready children, and starts more on request, at most one per core at a time.

    If none can be started it goes on trying to start one, so it learns when that works again.
    """

    def __init__(self, launcher: Launcher, target: int, cgroups: Cgroups | None = None) -> None:
        self.on_capacity: OnCapacity = lambda _: None
        """Called whenever `problem` has changed."""
        self.on_ready: Callable[[Child], None] = lambda _: None
        """Called with each child that is ready, for a short task that its job will need."""
        self._launcher = launcher
        self._target = target
        self._cgroups = cgroups
        self._ready: deque[Child] = deque()
        self._waiting: deque[ChildWait] = deque()
        self._starting = Tasks()
        self._joining = 0
        self._at_once = os.cpu_count() or 1
        self._pause = _FIRST_PAUSE_SECONDS
        self._failure = RepeatingFailure(_log)
        self._capacity = Capacity()
        self._told = self.problem
        self._last_error: LaunchError | None = None
        self._young_deaths = 0
        self._generation = 0
        self._moved_at = 0.0
        self._waited_at = -BUSY_SECONDS
        self._closed = False

    @property
    def room(self) -> int | None:
        """How many more children could be taken now, `None` for any number: see `Capacity`."""
        return self._capacity.room(len(self._ready))

    @property
    def ready(self) -> int:
        """How many children wait to be taken."""
        return len(self._ready)

    @property
    def problem(self) -> str | None:
        """Why no child could be taken now, `None` if one could."""
        return self._capacity.problem(len(self._ready))

    @property
    def due_at(self) -> float | None:
        """By when a start has ended, in seconds of the loop's clock; `None` if none is under way."""
        return self._moved_at + LONGEST_START_SECONDS if self._starting else None

    async def take(self, timeout_seconds: float) -> Child:
        """Return a ready child. Raises `LaunchError` if none comes in time, or if starts fail for some seconds.

        After a cancellation, the child that was on its way becomes a spare.
        """
        while self._ready:
            child = self._ready.popleft()
            if not child.exited.done():
                self._young_deaths = 0
                self._tell_capacity()
                return child
            child.reap_and_close()
        loop = asyncio.get_running_loop()
        self._waited_at = loop.time()
        wait = ChildWait(loop.create_future(), self._waited_at, timeout_seconds)
        self._waiting.append(wait)
        self.refill()
        try:
            async with TimeLimit(self._end_of(wait)) as wait.timeout:
                return await wait.child
        except TimeoutError as error:
            if wait.given is not None:  # it came in the same turn of the loop in which the time ended
                return wait.given
            raise self._not_started(wait) from error
        except asyncio.CancelledError:
            if wait.given is not None:
                self._take_back(wait.given, wait.generation)
            raise
        finally:
            if wait in self._waiting:
                self._waiting.remove(wait)

    def _end_of(self, wait: ChildWait) -> float:
        return self._capacity.wait_until(wait.asked_at, wait.longest_seconds)

    def _not_started(self, wait: ChildWait) -> LaunchError:
        seconds = self._end_of(wait) - wait.asked_at
        why, evidence = self._capacity.reason, ""
        if self._last_error is not None:
            why, evidence = str(self._last_error), self._last_error.evidence
        return LaunchError(
            f"No child could be started within {seconds:.3g} s. {why}".rstrip(), evidence=evidence
        )

    def refill(self) -> None:
        """Start missing spares, in the background. Called after a job's outcome, so that it does not slow the job."""
        if self._closed:
            return
        wanted = self._target + len(self._waiting)
        if wanted == 0 and self.problem is not None:
            wanted = 1  # otherwise nobody would notice when a child can be started again
        missing = wanted - len(self._ready) - len(self._starting)
        # A child that joins its cgroup waits for the kernel, not for a core: any number may do so at once.
        for _ in range(min(missing, self._at_once - len(self._starting) + self._joining)):
            self._moved_at = asyncio.get_running_loop().time()
            # A rehearsal makes a job wait longer if it waits for this child, or for a child that starts later.
            is_calm = not self._waiting and self._moved_at - self._waited_at > BUSY_SECONDS
            task = self._starting.start(self._start_one(rehearses=is_calm), "start of a child")
            task.add_done_callback(lambda _: self.refill())

    def renew(self) -> None:
        """Drop every spare, also those on their way: they have imported code that is no longer in force."""
        self._generation += 1
        while self._ready:
            self._ready.popleft().discard()
        self._tell_capacity()
        self.refill()

    def look_anew(self) -> None:
        """Drop every spare, because each may hold files that were removed after its fork (docs/adr/0061).

        Not if starts fail, or if somebody waits: an existing child is better than none.
        """
        if self._capacity.failing_since is None and not self._waiting:
            self._launcher.look_anew()
            self.renew()

    async def _start_one(self, *, rehearses: bool) -> None:
        loop = asyncio.get_running_loop()
        generation, began = self._generation, loop.time()
        late = FairTimer(began + self._capacity.late_after_seconds, lambda: self._be_late(began))
        try:
            child = await self._start_and_join(rehearses=rehearses)
        except Exception as error:  # for any error: without a pause the next try would follow at once
            self._fail(error, began)
            await self._pause_a_while()
            return
        finally:
            late.cancel()
        self._last_error = None
        self._failure.over(ChildrenRestored())
        self._pause = _FIRST_PAUSE_SECONDS
        self._change(self._capacity.succeeded(began, loop.time()))
        if generation == self._generation and not self._closed:
            self.on_ready(child)
        self._take_back(child, generation)

    def _take_back(self, child: Child, generation: int) -> None:
        """Let a child that nobody has taken wait for a job, or end it if it is not wanted any more."""
        if self._closed or generation != self._generation:
            child.discard()
        else:
            self._hand_out(child)
        self._tell_capacity()

    def _hand_out(self, child: Child) -> None:
        while self._waiting:
            wait = self._waiting.popleft()
            if not wait.child.done():
                wait.give(child, self._generation)
                self._young_deaths = 0
                return
        self._ready.append(child)
        ready_at = asyncio.get_running_loop().time()
        child.exited.add_done_callback(lambda _: self._died_waiting(child, ready_at))

    async def _pause_a_while(self) -> None:
        pause = self._pause
        self._pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause)

    async def _start_and_join(self, *, rehearses: bool) -> Child:
        child = await self._launcher.spawn_child(rehearses=rehearses)
        try:
            if self._cgroups is not None:
                # Now, while it waits and is a single process: a move takes milliseconds, and no job waits for it.
                child.cgroup = self._cgroups.new()
                await self._join(child)
            if self._young_deaths >= _YOUNG_DEATHS:
                await self._see_it_live(child)
        except BaseException:
            child.discard()
            raise
        return child

    async def _join(self, child: Child) -> None:
        self._joining += 1
        self.refill()
        try:
            async with time_limit(JOIN_SECONDS):
                await child.cgroup.join(child.pid, child.join if child.joins_by_itself else None)
        except TimeoutError as error:
            raise LaunchError(
                f"A child could not be moved into its cgroup within {JOIN_SECONDS:g} s. --cgroups off does without."
            ) from error
        finally:
            self._joining -= 1

    async def _see_it_live(self, child: Child) -> None:
        if (await asyncio.wait((child.exited,), timeout=_YOUNG_SECONDS))[0]:
            status = child.exited.result()
            raise LaunchError(f"Children end as soon as they are ready, the last one with {status}.")
        self._young_deaths = 0

    def _died_waiting(self, child: Child, ready_at: float) -> None:
        if child in self._ready:
            self._ready.remove(child)
            child.reap_and_close()
            is_young = asyncio.get_running_loop().time() - ready_at < _YOUNG_SECONDS
            self._young_deaths = self._young_deaths + 1 if is_young else 0
            tell(_log, SpareDied(pid=child.pid, status=str(child.exited.result())))
            self._tell_capacity()
            self.refill()

    def _fail(self, error: Exception, began: float) -> None:
        if isinstance(error, LaunchError):
            self._last_error = error
            self._failure.failed(ChildrenFailing(reason=str(error), evidence=error.evidence))
        else:
            self._last_error = LaunchError("A bug in this worker keeps it from starting children.")
            failing = ChildrenFailing(reason=str(self._last_error), evidence="")
            self._failure.failed(failing, level=logging.ERROR, error=error)
        # The error is in the last line of a traceback.
        last_line = self._last_error.evidence.rstrip().rpartition("\n")[2].strip()
        reason = f"{self._last_error} {last_line}".rstrip()
        self._change(self._capacity.failed(reason, began, on_its_way=self._last_error.on_its_way))
        self._tell_capacity()

    def _be_late(self, began: float) -> None:
        self._change(self._capacity.late(began, asyncio.get_running_loop().time()))
        self._tell_capacity()

    def _change(self, capacity: Capacity) -> None:
        before, self._capacity = self._capacity, capacity
        if before.failing_since == capacity.failing_since:
            return
        for wait in self._waiting:
            # A wait that is over, or has its child, needs no new time-out; its old one can't be moved any more.
            if wait.timeout is not None and not wait.child.done():
                wait.timeout.reschedule(self._end_of(wait))

    def _tell_capacity(self) -> None:
        if (problem := self.problem) != self._told:
            self._told = problem
            self.on_capacity(problem)

    async def close(self) -> None:
        """End every spare. The keeper must end one that can't be killed here."""
        self._closed = True
        await self._starting.close()
        ending, self._ready = self._ready, deque()
        for child in ending:
            child.discard()
        if ending:
            await asyncio.wait([child.exited for child in ending], timeout=MOMENT_SECONDS)
