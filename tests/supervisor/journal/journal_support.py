"""What the journal's tests share: other processes, other versions, and bounded waits."""

import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from supervisor.engine.items import LostJob
from supervisor.errors import EngineError
from supervisor.journal import Claim, Ledger
from supervisor.journal.schema import MIGRATIONS
from supervisor.worker.delivery import Delivery
from supervisor.worker.recovery import Recovery

ROOT = Path(__file__).parents[3]
SCENARIO = Path(__file__).with_name("writing_scenario.py")
FILE = "journal.sqlite3"


def claim(job_id: str) -> Claim:
    return Claim(job_id, "p/b:1.0.0", "w-1", 1.5, "d")


class EngineOfClaims:
    """Says which jobs a worker has: `polled` by worker, or raises `error` so often."""

    def __init__(self, *, knows_retryable: bool = True, **polled: list[str]) -> None:
        self.knows_retryable = knows_retryable
        self.polled = polled
        self.errors: list[EngineError] = []
        self.asked: list[str] = []

    async def claimed_jobs(self, worker_uuid: str) -> list[LostJob]:
        self.asked.append(worker_uuid)
        if self.errors:
            raise self.errors.pop(0)
        return [LostJob(job_id, "p/b:1.0.0") for job_id in self.polled.get(worker_uuid, [])]


async def recover_results(ledger: Ledger, delivery: Delivery, *, knows_retryable: bool) -> None:
    """Recover with an engine that does not tell what it has given away, however long ago that was."""
    engine = EngineOfClaims(knows_retryable=knows_retryable)
    engine.errors = [EngineError("no token", status=401, retryable=False)] * 10
    await Recovery(ledger, delivery, engine, engine_job_timeout_seconds=math.inf).recover()


def writer(directory: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """Start a process that writes to the journal in `directory`; see there."""
    command = [*prefix, sys.executable, str(SCENARIO), str(directory), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def raw(directory: Path, statement: str, *arguments: object) -> list[tuple[object, ...]]:
    """Run one statement on the journal, as somebody else would."""
    database = sqlite3.connect(directory / FILE, isolation_level=None)
    try:
        return database.execute(statement, arguments).fetchall()
    finally:
        database.close()


def make_version_1(directory: Path) -> None:
    """Make a journal as the first version of this worker left it: running, waiting and dead."""
    directory.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(directory / FILE, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    for statement in MIGRATIONS[0]:
        database.execute(statement)
    database.execute("INSERT INTO facts VALUES ('digest_key', ?), ('worker_uuid', 'w-1')", ("ab" * 32,))
    insert = "INSERT INTO claims (job_id, block_id, worker_uuid, claimed_at, digest, result, dead_reason) "
    values = "VALUES (?, 'p/b:1.0.0', 'w-1', 1.5, 'd', ?, ?)"
    for job_id, result, reason in (
        ("running", None, None),
        ("waiting", b'{"jobExecutionId": "waiting"}', None),
        ("dead", b'{"jobExecutionId": "dead"}', "HTTP 400"),
    ):
        database.execute(insert + values, (job_id, result, reason))
    database.execute("PRAGMA user_version = 1")
    database.close()
