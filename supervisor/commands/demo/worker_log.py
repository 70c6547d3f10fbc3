"""What only the worker's log tells: the cause of each job's end. The engine's contract has no field for it."""

import re
from typing import Final

from supervisor.verdict import Cause

_ENDED: Final = re.compile(
    rf" Job (?P<job>[\w-]+): (?:success|failed) \((?P<cause>{'|'.join(map(re.escape, Cause))})\) after "
)


class WorkerLog:
    """Collects causes by job id."""

    def __init__(self) -> None:
        self.causes: dict[str, Cause] = {}

    def hear(self, line: str) -> None:
        """Take note of a line of the worker's log."""
        if match := _ENDED.search(line):
            self.causes[match["job"]] = Cause(match["cause"])
