"""Reads the worker's log: turns its JSON lines (`supervisor.log.format`) back into events. Pure."""

import datetime
import json
import logging
from dataclasses import dataclass, field
from typing import Any, Final

from supervisor.log.catalogue import said_by_text
from supervisor.log.events.jobs import JobEnded, JobInterrupted, JobNotRun
from supervisor.log.format import ABOUT, OTHER_LOG, TextLine

READY: Final = (
    r'^\{"time": "[^"]*", "level": "INFO", "logger": "supervisor\.[\w.]+", "event": "worker_ready", '
    r'"message": (?P<text>"(?:[^"\\]|\\.)*"), '
)
"""The line in which the worker says that it is registered and asks for jobs. `text` is a JSON string."""

LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}

_OWN_KEYS: Final = frozenset({"time", "level", "logger", "event", "message", "fields", "traceback"})
_ENDS: Final = frozenset({JobEnded.name, JobNotRun.name, JobInterrupted.name})


@dataclass(frozen=True, slots=True)
class Line:
    """One event. `facts` are the event's own (`supervisor.log.events`), `fields` those of a block's logger.

    `time` is UTC, ISO 8601. A line that is not of the log has no `time`, only the `message`. `raw` is the line as the
    worker wrote it.
    """

    message: str
    time: str = ""
    level: str = "INFO"
    logger: str = ""
    event: str = ""
    traceback: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    raw: str = field(default="", repr=False, compare=False)

    def fact(self, name: str) -> str:
        """Return a fact as text; empty if there is none. `job` is empty in lines about the worker itself."""
        return str(self.facts.get(name, ""))

    @property
    def is_the_worker_s(self) -> bool:
        """Whether the worker itself has written it. A line that a block logs or prints never has such a logger."""
        return self.logger.startswith("supervisor.")

    @property
    def unsaid(self) -> dict[str, Any]:
        """The facts that the message does not contain, without those that say what the line is about."""
        said = said_by_text(self.event)
        return {name: fact for name, fact in self.facts.items() if name not in said and name not in ABOUT}

    @property
    def ended(self) -> "Ended | None":
        """The end of a job, if the line is about one."""
        if not (self.is_the_worker_s and self.event in _ENDS):
            return None
        return Ended(self.fact("job"), self.fact("cause"))

    @property
    def local_time(self) -> str:
        """The time of day here, `HH:MM:SS`; empty without a time."""
        return f"{_moment(self.time):%H:%M:%S}" if self.time else ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that has ended, according to the worker's log."""

    job: str
    cause: str


def read_line(text: str) -> Line:
    """Return the event in `text`, a line of the worker's output."""
    try:
        found = json.loads(text)
        _moment(found["time"])
        return Line(
            str(found["message"]),
            **{name: str(found.get(name, "")) for name in ("time", "level", "logger", "event", "traceback")},
            facts={name: fact for name, fact in found.items() if name not in _OWN_KEYS},
            fields=dict(found.get("fields", {})),
            raw=text,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # Python's own output as the worker dies, or the keeper's.
        return Line(text, raw=text)


def as_text(line: Line, *, indent: bool = True) -> str:
    """Return the event as the worker writes it for people; with `indent`, further lines are put below the first."""
    if not line.time:
        return line.message
    of_a_block = bool(line.fact("job")) and not line.is_the_worker_s
    moment = _moment(line.time)
    record = logging.makeLogRecord(
        {
            "name": "job" if of_a_block else line.logger,
            "origin": line.logger if of_a_block and line.logger != "job" else None,
            "levelname": line.level,
            "created": moment.timestamp(),
            # A float would sometimes be off by one.
            "msecs": moment.microsecond // 1000,
            "msg": line.message,
            "exc_text": line.traceback or None,
            "fields": line.fields,
            "facts": line.facts,
            "unsaid": line.unsaid,
            **({"event": line.event} if line.event != OTHER_LOG else {}),
        }
    )
    return TextLine(indent=indent).format(record)


def for_people(text: str) -> str:
    """Return `text`, a line of the worker's output, in the form for people."""
    return as_text(read_line(text))


def _moment(time: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(time).astimezone()
