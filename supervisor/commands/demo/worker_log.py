"""Reads the cause of each job's end, which only the worker's log has. The engine's contract has no field for it."""

from supervisor.commands.local.worker_lines import read_line
from supervisor.verdict import Cause


class WorkerLog:
    """Collects causes by job id."""

    def __init__(self) -> None:
        self.causes: dict[str, Cause] = {}

    def hear(self, text: str) -> None:
        """Read a line of the worker's log, which is JSON."""
        if ended := read_line(text).ended:
            self.causes[ended.job] = Cause(ended.cause)
