"""The table of log entries that workers sent (contract W7)."""

from __future__ import annotations

from dataclasses import astuple

from sdk.devengine.records import LogRecord
from sdk.devengine.store.database import Database

_COLUMNS = ", ".join(LogRecord.__slots__)


class LogStore:
    """Appends and reads log entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, record: LogRecord) -> None:
        """Store one entry."""
        self._database.execute(
            f"INSERT INTO logs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # our constants only
            astuple(record),
        )

    def all(self) -> list[LogRecord]:
        """Return every entry in the order of arrival."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM logs ORDER BY sequence"  # noqa: S608  # our constants only
        )
        return [LogRecord(*row) for row in rows]
