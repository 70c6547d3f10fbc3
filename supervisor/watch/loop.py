"""What people are told about the event loop of one job, all in one hand."""

import os

from jobrunner.protocol.messages import Blocking
from supervisor.launcher.child import Child
from supervisor.watch.blocking import BlockingReport
from supervisor.watch.joblog import JobLog
from supervisor.watch.stall import StallReport


class LoopReports:
    """Of code that blocks it (soon, and once for each place), and of a loop that has stalled."""

    def __init__(
        self, child: Child, log: JobLog, *, block_id: str, block_file: str | None, blocking_seconds: float
    ) -> None:
        self._blocking = BlockingReport(
            child, log, block_id, os.path.dirname(block_file or ""), blocking_seconds
        )
        self._stall = StallReport(child, log)
        self.stalled = self._stall.stalled
        self.resumed = self._stall.resumed
        self.ticked = self._blocking.ticked

    def blocked(self, message: Blocking) -> None:
        """See `BlockingReport.blocked`."""
        self._blocking.blocked(message)

    def stop(self) -> None:
        """Tell nothing more: the job is being ended."""
        self._stall.stop()
        self._blocking.stop()
