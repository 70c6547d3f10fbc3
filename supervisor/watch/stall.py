"""Warns people that a job's event loop does not run, and says where it hangs, without touching the job.

`supervisor.watch.blocking` warns of code that holds it up for a moment; `LoopReports` joins both for a job.
"""

import asyncio
import contextlib
import os

from jobrunner.protocol.messages import Blocking
from supervisor.launcher.child import Child
from supervisor.lifecycle.durations import STACK_SECONDS
from supervisor.log.events.jobs import LoopResumed, LoopStalled
from supervisor.process.tasks import Tasks
from supervisor.verdict.wording import kernel_sentence
from supervisor.watch.blocking import BlockingReport
from supervisor.watch.joblog import JobLog
from supervisor.watch.kernel import is_stopped, look_into_kernel
from supervisor.watch.rounds import reason_of
from supervisor.watch.running_stack import take_dump_of_running
from supervisor.watch.stack import leave_out_what_was_told, read_stack


class StallReport:
    """Writes a warning for each silence, and a line when it is over.

    A job can notice only the signal that asks for the stack. faulthandler's handler restarts system calls
    (SA_RESTART), and Python repeats its own calls (PEP 475). Still, the signal wakes `signal.pause`, and C code that
    does not repeat a call which the kernel never restarts (signal(7): poll, select, epoll_wait, nanosleep, pause, a
    socket with a time-out).
    """

    def __init__(self, child: Child, log: JobLog) -> None:
        self._child = child
        self._log = log
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    def stalled(self, seconds: float) -> None:
        """Find out where the loop hangs, and log it."""
        self._task = self._tasks.start(self._tell(seconds), "report of a stalled loop")

    def resumed(self, seconds: float) -> None:
        """Log that the loop runs again; after the warning, even if that is still being written."""
        if self._task is None or self._task.done():
            self._log.tell(LoopResumed, seconds=seconds)
        else:
            self._task.add_done_callback(lambda _: self._log.tell(LoopResumed, seconds=seconds))

    def stop(self) -> None:
        """Drop what is not logged yet: the job is being ended, and its result will show it."""
        self._tasks.cancel()

    async def _tell(self, seconds: float) -> None:
        try:
            where = await self._where()
        except Exception as error:  # log in any case that it hangs
            where = f"Where it hangs could not be seen: {reason_of(error)}."
        self._log.tell(LoopStalled, seconds=seconds, stack=where)

    async def _where(self) -> str:
        # A stopped process would get the signal only when it goes on, and show a place where nothing hangs.
        if not is_stopped(self._child.pid):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STACK_SECONDS), self._child.dump_turn:
                    await take_dump_of_running(self._child)
                    stack = read_stack(self._child)
                    # It is logged; the evidence of the end begins after it.
                    leave_out_what_was_told(self._child)
                    if stack:
                        return stack
        return kernel_sentence(look_into_kernel(self._child.pid, self._log.mask))


class LoopReports:
    """Reports code that blocks the loop (soon, and once for each place), and a loop that has stalled."""

    def __init__(
        self, child: Child, log: JobLog, *, block_id: str, block_file: str | None, blocking_seconds: float
    ) -> None:
        self._blocking = BlockingReport(
            child, log, block_id, os.path.dirname(block_file or ""), blocking_seconds
        )
        self._stall = StallReport(child, log)
        self.stalled = self._stall.stalled
        self.resumed = self._stall.resumed
        self.begin = self._blocking.begin
        self.ticked = self._blocking.ticked

    def blocked(self, message: Blocking) -> None:
        """See `BlockingReport.blocked`."""
        self._blocking.blocked(message)

    def stop(self) -> None:
        """Report nothing more: the job is being ended."""
        self._stall.stop()
        self._blocking.stop()
