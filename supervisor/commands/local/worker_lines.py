"""The worker's log as others read it: from its JSON lines (`supervisor.log.format`) back to what was logged. Pure."""

import datetime
import json
import logging
import re
from dataclasses import dataclass, field
from typing import Any, Final

from supervisor.log.format import TextLine

_ENDED: Final = re.compile(
    r"Job (?P<job>\S+)(?:: (?:success|failed) \((?P<cause>\w+)\) after | is not run \((?P<refused>\w+)\): )"
)
READY: Final = (
    r'^\{"time": "[^"]*", "level": "INFO", "logger": "supervisor\.[\w.]+", '
    r'"message": (?P<text>"The worker is ready: (?:[^"\\]|\\.)*")\}$'
)
"""The line by which the worker says that it is registered and asks for jobs. ``text`` is a JSON string."""

LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


@dataclass(frozen=True, slots=True)
class Line:
    """One event, of one line or of many.

    ``job``, ``block`` and ``step`` are empty for what the worker says of itself; ``stream`` is ``stdout`` or
    ``stderr`` for what a block has printed; ``fields`` are those of a block's logger. ``time`` is UTC, ISO 8601. What
    is none of the log's has no ``time``: it is the ``text`` alone. ``raw`` is the line as the worker wrote it.
    """

    text: str
    time: str = ""
    level: str = "INFO"
    logger: str = ""
    job: str = ""
    block: str = ""
    step: str = ""
    stream: str = ""
    traceback: str = ""
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    raw: str = field(default="", repr=False, compare=False)

    @property
    def is_the_worker_s(self) -> bool:
        """Whether the worker itself says it. What a block logs or prints never has such a logger."""
        return self.logger.startswith("supervisor.")

    @property
    def ended(self) -> "Ended | None":
        """What the line says of a job's end, if that is what it is about."""
        match = _ENDED.match(self.text) if self.is_the_worker_s else None
        if match is None:
            return None
        return Ended(match["job"], match["cause"] or match["refused"])

    @property
    def local_time(self) -> str:
        """The time of day here, ``HH:MM:SS``; empty where there is no time."""
        return f"{_moment(self.time):%H:%M:%S}" if self.time else ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that has ended, by the worker's log."""

    job: str
    cause: str


def read_line(text: str) -> Line:
    """Return what ``text``, a line of the worker's, says."""
    try:
        found = json.loads(text)
        _moment(found["time"])
        return Line(
            str(found["message"]),
            **{name: str(found.get(name, "")) for name in ("time", "level", "logger", "traceback")},
            **{name: str(found.get(name, "")) for name in ("job", "block", "step", "stream")},
            fields=dict(found.get("fields", {})),
            raw=text,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # Python's own words as the worker dies, or its keeper's.
        return Line(text, raw=text)


def as_text(line: Line, *, indent: bool = True) -> str:
    """Return the event as the worker writes it for people to read; with ``indent``, further lines below the first."""
    if not line.time:
        return line.text
    of_a_block = bool(line.job) and not line.is_the_worker_s
    record = logging.makeLogRecord(
        {
            "name": "job" if of_a_block else line.logger,
            "origin": line.logger if of_a_block and line.logger != "job" else None,
            "levelname": line.level,
            "created": (moment := _moment(line.time)).timestamp(),
            # A float would lose one now and then.
            "msecs": moment.microsecond // 1000,
            "msg": line.text,
            "exc_text": line.traceback or None,
            **{name: getattr(line, name) or None for name in ("job", "block", "step", "stream", "fields")},
        }
    )
    return TextLine(indent=indent).format(record)


def _moment(time: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(time).astimezone()
