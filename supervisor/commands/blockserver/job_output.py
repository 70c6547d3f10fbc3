"""What one job logged and printed, kept for the caller who asked for the job."""

import contextlib
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from supervisor.log.events.jobs import LoopStalled
from supervisor.watch.joblog import LOGGERS

LOGS_KEPT: Final = 10_000
"""The newest lines of a job's log. The rate of a job's lines is limited already (`supervisor.watch.joblog`)."""

OUTPUT_KEPT_CHARS: Final = 64 * 1024
"""The end of the output to one stream."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record of a job's log. `level` is a number of `logging`."""

    level: int
    message: str


@dataclass(frozen=True, slots=True)
class StallLine:
    """One silence of a job's event loop: its length when it was reported, and the stack at that time."""

    seconds: float
    stack: str


@dataclass(slots=True)
class Tail:
    """The last lines of one stream."""

    lines: deque[str] = field(default_factory=deque)
    size_chars: int = 0

    def add(self, line: str) -> None:
        """Take one more line. If there are too many, drop the oldest."""
        self.lines.append(line)
        self.size_chars += len(line) + 1
        while self.size_chars > OUTPUT_KEPT_CHARS and len(self.lines) > 1:
            self.size_chars -= len(self.lines.popleft()) + 1

    def text(self) -> str:
        """Return the lines as printed, without empty ones."""
        return "".join(f"{line}\n" for line in self.lines)


class Printed(logging.Handler):
    """Collects the lines of one job from the worker's log, where they are labelled and masked."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.logs: deque[LogLine] = deque(maxlen=LOGS_KEPT)
        self.stalls: list[StallLine] = []
        self.stdout = Tail()
        self.stderr = Tail()
        self._job_id = job_id

    def emit(self, record: logging.LogRecord) -> None:
        """Take `record` if it is about this job."""
        facts: Mapping[str, Any] = getattr(record, "facts", {})
        if facts.get("job") != self._job_id:
            return
        text = record.getMessage()
        match facts.get("stream"):
            case "stdout":
                self.stdout.add(text)
            case "stderr":
                self.stderr.add(text)
            case _:
                if getattr(record, "event", "") == LoopStalled.name:
                    self.stalls.append(StallLine(facts["seconds"], facts["stack"]))
                self.logs.append(LogLine(record.levelno, text))


@contextlib.contextmanager
def collecting(job_id: str) -> Iterator[Printed]:
    """Collect what the job logs and prints while the context lasts."""
    printed = Printed(job_id)
    levels = [logger.level for logger in LOGGERS]
    for logger in LOGGERS:
        # The child leaves out lines below its own level. All lines that arrive are wanted, whatever is shown.
        logger.setLevel(1)
        logger.addHandler(printed)
    try:
        yield printed
    finally:
        for logger, level in zip(LOGGERS, levels, strict=True):
            logger.removeHandler(printed)
            logger.setLevel(level)
