"""What is kept of a run besides its result: log lines and stalls."""

from __future__ import annotations

import logging
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record that the block logged. `level` is a number of `logging`."""

    level: int
    message: str

    def __str__(self) -> str:
        return f"{logging.getLevelName(self.level)}: {self.message}"


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which the event loop did not run: how many seconds it had lasted at the report, and the stack then."""

    seconds: float
    stack: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s\n{self.stack}"
