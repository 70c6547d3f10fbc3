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
    wanted = {event.name for event in events}
    return [facts_of(record) for record in caplog.records if record.__dict__.get("event") in wanted]


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
    lines = [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") in wanted]
