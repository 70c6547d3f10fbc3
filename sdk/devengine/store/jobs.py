"""The table of jobs: submission, claim, result. Callers hold the transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdk.devengine.records import AttemptRecord, Finisher, JobRecord, JobStatus, ResultStatus
from sdk.devengine.store.database import Database

_COLUMNS = ", ".join(JobRecord.__slots__)
_ATTEMPT_COLUMNS = ", ".join(AttemptRecord.__slots__)

# Literals, not parameters: SQLite uses a partial index only if it can read the value.
_WHERE_STATUS: dict[JobStatus | None, str] = {
    None: "",
    "pending": "WHERE status = 'pending'",
    "polled": "WHERE status = 'polled'",
    "pushed": "WHERE status = 'pushed'",
}


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to insert; `item_text` is the JSON that a poll hands out."""

    job_id: str
    block: str
    step_label: str | None
    type: str
    run_on: str
    entity_id: float | None
    item_text: str


class JobStore:
    """Reads and writes jobs; decides nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, job: NewJob, now: float, *, claimed_by: str | None = None) -> bool:
        """Add a job, pending or already claimed. Returns False if its id is known."""
        claimed = claimed_by is not None
        cursor = self._database.execute(
            "INSERT OR IGNORE INTO jobs (job_id, block, step_label, type, run_on, entity_id, item_text,"
            " status, worker_id, attempts, created_at, updated_at, claimed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(job.job_id, job.block, job.step_label, job.type, job.run_on, job.entity_id, job.item_text),
                *("polled" if claimed else "pending", claimed_by, int(claimed)),
                *(now, now, now if claimed else None),
            ),
        )
        return cursor.rowcount == 1

    def claim(self, worker_id: str, blocks: Sequence[str], limit: int, now: float) -> list[str]:
        """Bind up to `limit` pending jobs of these blocks to the worker, oldest first; return their items."""
        rows = self._database.execute(
            "SELECT sequence, item_text FROM jobs WHERE status = 'pending'"
            " AND block IN (SELECT value FROM json_each(?)) ORDER BY sequence LIMIT ?",
            (json.dumps(list(blocks)), limit),
        ).fetchall()
        for sequence, _ in rows:
            self._database.execute(
                "UPDATE jobs SET status = 'polled', worker_id = ?, attempts = attempts + 1, claimed_at = ?,"
                " updated_at = ? WHERE sequence = ?",
                (worker_id, now, now, sequence),
            )
        return [item for _, item in rows]

    def excuse(self, seconds: float) -> None:
        """Don't count so much of the time since the claims of unfinished jobs."""
        self._database.execute(
            "UPDATE jobs SET claimed_at = claimed_at + ? WHERE status = 'polled'", (seconds,)
        )

    def finish(self, job_id: str, status: ResultStatus, text: str, by: Finisher, now: float) -> None:
        """Store the result; the job is pushed."""
        self._database.execute(
            "UPDATE jobs SET status = 'pushed', result_status = ?, result_text = ?, finished_by = ?,"
            " finished_at = ?, updated_at = ? WHERE job_id = ?",
            (status, text, by, now, now, job_id),
        )

    def put_back(self, job_id: str, text: str, by: Finisher, now: float) -> None:
        """Keep the failed attempt beside the job and make the job pending again."""
        self._database.execute(
            f"INSERT INTO attempts (job_id, {_ATTEMPT_COLUMNS})"  # noqa: S608  # our constants only
            " SELECT job_id, attempts, worker_id, claimed_at, ?, ?, ? FROM jobs WHERE job_id = ?",
            (now, by, text, job_id),
        )
        self._database.execute(
            "UPDATE jobs SET status = 'pending', worker_id = NULL, claimed_at = NULL, updated_at = ?"
            " WHERE job_id = ?",
            (now, job_id),
        )

    def get(self, job_id: str) -> JobRecord | None:
        """Return one job, or None if the id is unknown."""
        rows = self._select("WHERE job_id = ?", (job_id,))
        return rows[0] if rows else None

    def all(self, status: JobStatus | None = None) -> list[JobRecord]:
        """Return the jobs in creation order, all or those of one status."""
        return self._select(_WHERE_STATUS[status], ())

    def unfinished(self) -> list[JobRecord]:
        """Return the pending and the polled jobs in creation order."""
        return self._select("WHERE status <> 'pushed'", ())

    def of_worker(self, worker_id: str, status: JobStatus | None = None) -> list[JobRecord]:
        """Return the jobs that the worker claimed last, in creation order, all or those of one status.

        Its claimed jobs are asked for once a minute, and it may have ended a hundred thousand others.
        """
        where = f"{_WHERE_STATUS[status]} AND worker_id = ?" if status else "WHERE worker_id = ?"
        return self._select(where, (worker_id,))

    def earlier_attempts(self, job_id: str) -> list[AttemptRecord]:
        """Return the attempts that ended with a retry, oldest first."""
        rows = self._database.execute(
            f"SELECT {_ATTEMPT_COLUMNS} FROM attempts WHERE job_id = ? ORDER BY attempt",  # noqa: S608  # our constants
            (job_id,),
        )
        return [AttemptRecord(*row) for row in rows]

    def _select(self, where: str, parameters: tuple[Any, ...]) -> list[JobRecord]:
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM jobs {where} ORDER BY sequence",  # noqa: S608  # our constants only
            parameters,
        )
        return [JobRecord(*row) for row in rows]
