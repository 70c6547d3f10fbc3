"""One event of the worker's log as one line: for people, or as JSON."""

import datetime
import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control characters, halves of surrogate pairs, breaks of lines and paragraphs, and characters that are invisible or
turn their neighbours round: Unicode's Bidi_Control and Default_Ignorable_Code_Point, except variation selectors."""
_FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_BARE_VALUE: Final = re.compile(r"[^\s\"=\[\]]+")
ABOUT: Final = ("job", "block", "step", "stream")
"""The facts that stand before the message, because they say what a line is about."""

JOB_LOG: Final = "job_log"
"""The name of the event for lines of a block's logger. Its message and its `fields` are the author's."""

_PRIORITIES: Final = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
"""The number of each level in syslog(3), the most severe first; lower levels are 7, debug."""

OTHER_LOG: Final = "log"
"""The name of the event for lines that are not ours: a library's own lines."""


def printable(text: str) -> str:
    """Return `text` with control and invisible characters escaped, except line breaks and tabs.

    A job's text must not repaint a terminal, make a log file binary, or look like another text.
    """
    return _UNSEEN.sub(lambda match: _escaped(match[0]), text)


def printable_line(text: str) -> str:
    """Return `text` as one line that repaints no terminal: line breaks and tabs are escaped too.

    So is every other character that Python calls not printable. Some that it calls printable are invisible: both kinds
    are escaped.
    """
    return printable("".join(char if char.isprintable() else _escape_of(char) for char in text))


def _escape_of(char: str) -> str:
    return char.encode("unicode_escape").decode()


def printable_json(text: str) -> str:
    """Return equivalent JSON, with all invisible characters as JSON's own escapes.

    For JSON that a person may look at. A program that reads it gets every character unchanged.
    """
    return _UNSEEN.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class TextLine(logging.Formatter):
    """A line to read: time, level, logger, its job, message, facts that the message lacks, event's name.

    If a person looks on (`indent`), further lines of a message are put below it. In a file they are escaped, so one
    event stays one line.
    """

    def __init__(self, *, indent: bool) -> None:
        super().__init__(_FORMAT)
        self._line_break = "\n    " if indent else "\\n"

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        text = super().format(record)
        head, separator, message = text.partition(f"{record.name}: ")
        first, line_break, rest = message.partition("\n")
        text = (
            head
            + separator
            + _label(record)
            + first
            + shown_fields(_after_message(record))
            + line_break
            + rest
        )
        return printable(text).replace("\n", self._line_break)


class JsonLine(logging.Formatter):
    """One JSON object: `time` (UTC, ISO 8601), `level`, `logger`, `event` and `message`; then the event's
    facts, and `fields` and `traceback` if there are any. The logger of a job's line is the block's own.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        given = record.__dict__
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": iso_time(at),
            "level": record.levelname,
            "logger": _origin(record),
            "event": given.get("event", OTHER_LOG),
            "message": record.getMessage(),
        }
        line |= given.get("facts", {})
        if given.get("fields"):
            line["fields"] = given["fields"]
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class PrefixedLine(logging.Formatter):
    """Lines of another formatter, each with its priority before it, in journald's format (sd-daemon(3): `<4>`)."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines."""
        level = next((level for level in _PRIORITIES if record.levelno >= level), logging.NOTSET)
        prefix = f"<{_PRIORITIES.get(level, 7)}>"
        return prefix + self._inner.format(record).replace("\n", f"\n{prefix}")


def iso_time(at: datetime.datetime) -> str:
    """Return a time as all JSON lines have it: ISO 8601, to the millisecond."""
    return at.isoformat(timespec="milliseconds")


def shown_fields(fields: Mapping[str, object]) -> str:
    """Return the text for these fields after a message, with a blank before each."""
    return "".join(f" {name}={_shown(value)}" for name, value in fields.items())


def _after_message(record: logging.LogRecord) -> dict[str, object]:
    given = record.__dict__
    fields: dict[str, object] = dict(given.get("fields") or {})
    event: str | None = given.get("event")
    if event is None or event == JOB_LOG or record.name == "job":
        return fields
    unsaid: Mapping[str, object] = given.get("unsaid", {})
    label = ABOUT if "job" in given.get("facts", {}) else ()
    return {name: value for name, value in unsaid.items() if name not in label} | fields | {"event": event}


def _origin(record: logging.LogRecord) -> str:
    origin: str | None = record.__dict__.get("origin")
    # If a block names a logger like one of the worker's, its lines must not look like the worker's.
    return f"job.{origin}" if origin and origin.startswith("supervisor") else origin or record.name


def _label(record: logging.LogRecord) -> str:
    given = record.__dict__
    facts: Mapping[str, object] = given.get("facts", {})
    if "job" not in facts:
        return ""
    words = [f"{name}={_shown(facts[name])}" for name in ABOUT[:3] if name in facts]
    if "stream" in facts:
        words.append(str(facts["stream"]))
    if given.get("origin"):
        words.append(f"logger={_shown(given['origin'])}")
    return f"[{' '.join(words)}] "


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if _BARE_VALUE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
