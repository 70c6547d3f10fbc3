"""One event of the worker's log as one line: for people, or as JSON."""

import datetime
import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_BARE_VALUE: Final = re.compile(r"[^\s\"=\[\]]+")
_JOB_KEYS: Final = ("job", "block", "step", "stream")


def printable(text: str) -> str:
    """Return ``text`` with its control characters escaped, line breaks and tabs apart.

    A job's text must not repaint a terminal, nor make a log file binary.
    """
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


class TextLine(logging.Formatter):
    """A line to read: time, level, logger, what job it is of, message, fields.

    Where a person looks on (``indent``), further lines of a message are put below it; in a file they are escaped, so
    that one event stays one line.
    """

    def __init__(self, *, indent: bool) -> None:
        super().__init__(_FORMAT)
        self._line_break = "\n    " if indent else "\\n"

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        text = super().format(record)
        head, separator, message = text.partition(f"{record.name}: ")
        fields = record.__dict__.get("fields") or {}
        text = head + separator + _label(record) + message + shown_fields(fields)
        return printable(text).replace("\n", self._line_break)


class JsonLine(logging.Formatter):
    """One JSON object: ``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``, and what there is of ``job``,
    ``block``, ``step``, ``stream``, ``fields`` and ``traceback``. The logger of a job's line is the block's own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        given = record.__dict__
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": _origin(record),
            "message": record.getMessage(),
        }
        line |= {key: given[key] for key in (*_JOB_KEYS, "fields") if given.get(key)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def shown_fields(fields: Mapping[str, object]) -> str:
    """Return what stands behind a message for these fields, with a blank before each."""
    return "".join(f" {name}={_shown(value)}" for name, value in fields.items())


def _origin(record: logging.LogRecord) -> str:
    origin: str | None = record.__dict__.get("origin")
    # A logger that a block names like one of the worker's must not make the worker speak.
    return f"job.{origin}" if origin and origin.startswith("supervisor") else origin or record.name


def _label(record: logging.LogRecord) -> str:
    given = record.__dict__
    if given.get("job") is None:
        return ""
    words = [f"job={given['job']}", f"block={given.get('block')}"]
    if given.get("step"):
        words.append(f"step={_shown(given['step'])}")
    if given.get("stream"):
        words.append(given["stream"])
    if given.get("origin"):
        words.append(f"logger={_shown(given['origin'])}")
    return f"[{' '.join(words)}] "


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _BARE_VALUE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
