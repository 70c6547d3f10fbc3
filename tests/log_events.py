"""Reading the worker's log in tests: by the names and facts of its events, never by their words."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from supervisor.log.event import Event


def told(caplog: pytest.LogCaptureFixture, *events: type[Event]) -> list[dict[str, Any]]:
    """Return the facts of each such event, in the order in which they were logged."""
    return [facts_of(record) for record in records_of(caplog, *events)]


def records_of(caplog: pytest.LogCaptureFixture, *events: type[Event]) -> list[logging.LogRecord]:
    """Return the record of each such event: for its level, its traceback, or a remedy in its message."""
    wanted = {event.name for event in events}
    return [record for record in caplog.records if record.__dict__.get("event") in wanted]


def names(records: Iterable[logging.LogRecord]) -> list[str]:
    """Return the name of each record's event."""
    return [str(record.__dict__.get("event", "log")) for record in records]


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the facts of a record's event."""
    facts: dict[str, Any] = record.__dict__.get("facts", {})
    return facts


def logged(file: Path, *events: type[Event]) -> list[dict[str, Any]]:
    """Return such events in a log of JSON lines, each with all its keys."""
    wanted = {event.name for event in events}
    # Without the last line while that is being written.
    whole, _, _ = file.read_text().rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") in wanted]
