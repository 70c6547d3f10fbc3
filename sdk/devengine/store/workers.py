"""The table of workers."""

from __future__ import annotations

from typing import Any

from sdk.devengine.records import WorkerRecord
from sdk.devengine.rules import WorkerState
from sdk.devengine.store.database import Database

_COLUMNS = ", ".join(WorkerRecord.__slots__)
_EPOCH = 0.0


class WorkerStore:
    """Reads and writes workers; decides nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, uuid: str, version: str, name: str | None, ip_address: str | None, now: float) -> None:
        """Add a new worker, online."""
        self._database.execute(
            "INSERT INTO workers (uuid, version, name, ip_address, state, last_ping_at, last_seen_at,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (uuid, version, name, ip_address, WorkerState.ONLINE.value, now, now, now, now),
        )

    def get(self, uuid: str, *, with_deleted: bool = False) -> WorkerRecord | None:
        """Return one worker, or None if it is unknown (or deleted, unless `with_deleted`)."""
        rows = self._select("WHERE uuid = ?", (uuid,))
        if not rows or (rows[0].deleted_at is not None and not with_deleted):
            return None
        return rows[0]

    def all(self, *, with_deleted: bool = False) -> list[WorkerRecord]:
        """Return the workers in the order of registration."""
        return self._select("" if with_deleted else "WHERE deleted_at IS NULL", ())

    def record_ping(self, uuid: str, now: float) -> None:
        """A ping sets a worker online from every state."""
        self._database.execute(
            "UPDATE workers SET state = 'online', last_ping_at = ?, last_seen_at = ?, updated_at = ?"
            " WHERE uuid = ?",
            (now, now, now, uuid),
        )

    def unregister(self, uuid: str, now: float) -> None:
        """Set a worker offline at once; its last ping becomes the epoch (contract W8)."""
        self._database.execute(
            "UPDATE workers SET state = 'offline', last_ping_at = ?, last_seen_at = ?, updated_at = ?"
            " WHERE uuid = ?",
            (_EPOCH, now, now, uuid),
        )

    def excuse(self, seconds: float) -> None:
        """Don't count so much of the silence of all workers."""
        self._database.execute(
            "UPDATE workers SET last_ping_at = last_ping_at + ?, last_seen_at = last_seen_at + ?"
            " WHERE state <> 'offline' AND deleted_at IS NULL",
            (seconds, seconds),
        )

    def set_state(self, uuid: str, state: WorkerState, now: float) -> None:
        """Store a state that follows from silence."""
        self._database.execute(
            "UPDATE workers SET state = ?, updated_at = ? WHERE uuid = ?", (state.value, now, uuid)
        )

    def delete(self, uuid: str, now: float) -> None:
        """Soft-delete: the row stays, the worker is offline, and only the read routes know it."""
        self._database.execute(
            "UPDATE workers SET state = 'offline', deleted_at = ?, updated_at = ? WHERE uuid = ?",
            (now, now, uuid),
        )

    def _select(self, where: str, parameters: tuple[Any, ...]) -> list[WorkerRecord]:
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM workers {where} ORDER BY sequence",  # noqa: S608  # our constants only
            parameters,
        )
        return [_record(*row) for row in rows]


def _record(
    uuid: str, version: str, name: str | None, ip_address: str | None, state: str, *times: Any
) -> WorkerRecord:
    return WorkerRecord(uuid, version, name, ip_address, WorkerState(state), *times)
