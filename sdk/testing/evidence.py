"""What is kept of a run besides its result: lines of the log, and stalls."""

from __future__ import annotations

import logging
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record that the block logged. `level` is a number as `logging` has it."""

    level: int
    message: str

    def __str__(self) -> str:
        return f"{logging.getLevelName(self.level)}: {self.message}"


@dataclass(frozen=True, slots=True)
class Stall:
    """One time that the event loop did not run: for how many seconds when it was told, and the stack then."""

    seconds: float
    stack: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s\n{self.stack}"
