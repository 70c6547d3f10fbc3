"""The lines of a job's log, as they are shown: numbered, so that one is shown once, and as text for people. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from supervisor.log.catalogue import said_by_text
from supervisor.log.events.ended_jobs import JobLinesLeftOut
from supervisor.log.format import JOB_LOG, printable, shown_fields

_TIME_CHARS: Final = len("2026-01-31T23:59:59.999")

_ELSEWHERE: Final = frozenset({"time", "level", "event", "message", "logger", "fields"})


class Lines:
    """Passes on each line once, whatever it is given twice: a reader that was cut off begins again a little before.

    `next_line` is the number of the line to go on with.
    """

    def __init__(self) -> None:
        self.next_line = 0
        self._number = 0

    def of(self, part: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the lines of a part of the worker's answer that were not there before: as they came, and read."""
        self._number = part.get("line", self._number)
        for text in part["lines"].splitlines():
            line = _read(text)
            stands_for = line.get("lines", 1) if line.get("event") == JobLinesLeftOut.name else 1
            self._number += stands_for
            if self._number > self.next_line:
                self.next_line = self._number
                yield text, line


def text_of(line: Mapping[str, Any]) -> str:
    """Return a line as a person reads it: time, level, whose words they are, message, and further facts."""
    origin = line.get("stream") or line.get("logger") or "worker"
    fields = dict(line.get("fields") or {})
    event = str(line.get("event"))
    if event != JOB_LOG and "stream" not in line:
        said = _ELSEWHERE | said_by_text(event)
        fields |= {name: value for name, value in line.items() if name not in said} | {"event": event}
    message = str(line.get("message", ""))
    first, line_break, rest = message.partition("\n")
    text = f"{str(line.get('time', ''))[:_TIME_CHARS]} {line.get('level', ''):7} {origin}: {first}"
    return printable(text + shown_fields(fields) + line_break + rest).replace("\n", "\n    ")


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"message": text}
    return found if isinstance(found, dict) else {"message": text}
