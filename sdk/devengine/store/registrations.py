"""The table of registered blocks and of the workers that offer them."""

from __future__ import annotations

import json
from typing import Any

from sdk.devengine.identifiers import BlockId
from sdk.devengine.records import RegistrationRecord
from sdk.devengine.store.database import Database


class RegistrationStore:
    """Reads and writes registrations; decides nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, block: BlockId, body: dict[str, Any], worker_id: str | None, now: float) -> None:
        """Add a block, or replace the stored one of this exact version, and connect it with the worker."""
        identity = (block.package, block.name, block.major, block.minor, block.patch)
        self._database.execute(
            "INSERT INTO registrations (package, name, major, minor, patch, body, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (package, name, major, minor, patch)"
            " DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
            (*identity, json.dumps(body), now, now),
        )
        if worker_id is not None:
            # Not RETURNING above: SQLite has it since 3.35, and some supported systems have an older SQLite.
            self._database.execute(
                "INSERT OR IGNORE INTO registration_workers (registration, worker_id)"
                " SELECT sequence, ? FROM registrations"
                " WHERE (package, name, major, minor, patch) = (?, ?, ?, ?, ?)",
                (worker_id, *identity),
            )

    def get(self, block: BlockId) -> RegistrationRecord | None:
        """Return the registration of an exact version."""
        same_name = self.named(block.package, block.name)
        return next((record for record in same_name if record.block == block), None)

    def named(self, package: str, name: str) -> list[RegistrationRecord]:
        """Return every registered version of a block."""
        return self._select("WHERE package = ? AND name = ?", (package, name))

    def all(self) -> list[RegistrationRecord]:
        """Return every registration. Blocks are in the order of their first registrations."""
        return self._select("", ())

    def of_worker(self, worker_id: str) -> list[RegistrationRecord]:
        """Return the blocks that a worker has registered."""
        return self._select(
            "WHERE sequence IN (SELECT registration FROM registration_workers WHERE worker_id = ?)",
            (worker_id,),
        )

    def _select(self, where: str, parameters: tuple[Any, ...]) -> list[RegistrationRecord]:
        rows = self._database.execute(
            "SELECT package, name, major, minor, patch, body, created_at, updated_at,"  # noqa: S608  # our constants
            " (SELECT json_group_array(worker_id) FROM (SELECT worker_id FROM registration_workers"
            " WHERE registration = registrations.sequence ORDER BY registration_workers.sequence))"
            f" FROM registrations {where} ORDER BY sequence",
            parameters,
        )
        return [_record(*row) for row in rows]


def _record(*row: Any) -> RegistrationRecord:
    *block, body, created_at, updated_at, worker_ids = row
    return RegistrationRecord(
        BlockId(*block), json.loads(body), tuple(json.loads(worker_ids)), created_at, updated_at
    )
