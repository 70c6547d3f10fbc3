"""The lines of a job's log as they are shown: numbered, so that each is shown once, as text or as JSON. Pure."""

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from supervisor.commands.shared.json_output import json_text
from supervisor.log.catalogue import said_by_text
from supervisor.log.events.ended_jobs import JobLinesLeftOut
from supervisor.log.format import JOB_LOG, printable, printable_json, shown_fields

_ELSEWHERE: Final = frozenset({"time", "level", "event", "message", "logger", "fields"})


class Lines:
    """Passes on each line once, even if it gets a line twice: a reader that was cut off begins again a little before.

    `next_line` is the number of the next line.
    """

    def __init__(self) -> None:
        self.next_line = 0
        self._number = 0

    def of(self, part: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the new lines in a part of the worker's answer: as JSON for programs, and parsed.

        The JSON is harmless on a terminal. A text that is not a line of the log becomes the message of one.
        """
        self._number = part.get("line", self._number)
        # Not `splitlines`: it also splits at characters that a job may write inside of a line.
        for text in filter(None, part["lines"].split("\n")):
            line = _read(text)
            as_json = json_text(_text_alone(text), indent=None) if line is None else printable_json(text)
            line = line or _text_alone(text)
            stands_for = line.get("lines", 1) if line.get("event") == JobLinesLeftOut.name else 1
            self._number += stands_for
            if self._number > self.next_line:
                self.next_line = self._number
                yield as_json, line


def text_of(line: Mapping[str, Any]) -> str:
    """Return a line as a person reads it: time, level, who wrote it, message, and further facts."""
    origin = line.get("stream") or line.get("logger") or "worker"
    fields = dict(line.get("fields") or {})
    event = str(line.get("event"))
    if event != JOB_LOG and "stream" not in line:
        said = _ELSEWHERE | said_by_text(event)
        fields |= {name: value for name, value in line.items() if name not in said} | {"event": event}
    message = str(line.get("message", ""))
    first, line_break, rest = message.partition("\n")
    text = f"{_local_time(line.get('time', ''))} {line.get('level', ''):7} {origin}: {first}"
    return printable(text + shown_fields(fields) + line_break + rest).replace("\n", "\n    ")


def _local_time(time: object) -> str:
    """Return a time as every command shows it to a person: in this machine's time zone."""
    try:
        at = datetime.datetime.fromisoformat(str(time)).astimezone()
    except (ValueError, OverflowError):
        return str(time)
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds")


def _read(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # the second: endless nesting
        return None
    return found if isinstance(found, dict) else None


def _text_alone(text: str) -> dict[str, Any]:
    return {"message": text}
