"""One point: kill the supervisor there, start it again, and check that nothing was lost or doubled."""

import asyncio
import json
import signal
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sdk.devengine import DevEngine, EngineOptions, JobRecord
from tests.faults.programs import ACT, FaultTestError, Worker, token_file_in
from tests.patience import PATIENCE_SECONDS
from tests.traces import trace_file_in

ACTS: Final = ("slow", "fail")
KILLED: Final = 128 + signal.SIGKILL
_AFTER_RESULTS_SECONDS: Final = 0.4
"""For the steps that follow a result and a ping."""
_PINGS: Final = 2
"""So many pings are points."""
_DRY_RUNS: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a point. `problems` is empty when everything holds; `note` tells what happened."""

    point: str
    was_killed: bool
    note: str
    problems: tuple[str, ...]


async def list_points(directory: Path) -> list[str]:
    """Run twice without a kill and return every point that both have reached, in order.

    A machine that stands still for a moment makes the worker take steps that no other run takes: it tries again.
    """
    directory.mkdir()
    reached: list[list[str]] = []
    for number in range(_DRY_RUNS):
        place = directory / f"{number}"
        place.mkdir()
        outcome = await try_point(place, "", place / "points")
        if outcome.problems:
            raise FaultTestError(f"Without a kill: {'; '.join(outcome.problems)} (see {place})")
        reached.append((place / "points").read_text().splitlines())
    return [point for point in dict.fromkeys(reached[0]) if all(point in others for others in reached[1:])]


async def try_point(directory: Path, point: str, listed: Path | None = None) -> Outcome:
    """Kill at `point` (not at all if it is "") and start again. Raises nothing that the worker can cause."""
    directory.mkdir(exist_ok=True)
    trace = trace_file_in(directory)
    async with DevEngine(EngineOptions(token_file=token_file_in(directory))) as engine:
        jobs = [
            engine.submit(
                block=ACT,
                parameters={"act": act, "word": f"word-{act}", "trace": str(trace), "seconds": 0.05},
            )
            for act in ACTS
        ]
        worker = Worker(
            directory, engine.url, directory / "state",
            max_job_seconds=10, grace_seconds=0.2, poll_seconds=0.05, heartbeat_seconds=0.2,
        )  # fmt: skip
        problems: list[str] = []
        was_killed = False
        try:
            host = ("--point", point, *(("--list", str(listed)) if listed else ()), "--")
            await worker.begin("tests.programs.crashpoints.host", *host)
            code = await _to_the_end(worker, engine, _PINGS)
            was_killed = code == KILLED
            if code not in (0, KILLED):
                problems.append(f"the worker ended with {code}")
            if was_killed:
                await worker.begin()
                if (code := await _to_the_end(worker, engine)) != 0:
                    problems.append(f"after the restart, the worker ended with {code}")
        except FaultTestError as error:
            problems.append(str(error))
        finally:
            await worker.kill()
        records = [engine.job(job_id) for job_id in jobs]
        problems += _problems(engine, records, trace, worker)
        note = ", ".join(_note(record) for record in records)
    return Outcome(point, was_killed, note, tuple(problems))


async def _to_the_end(worker: Worker, engine: DevEngine, pings: int = 0) -> int:
    """Wait until every job is final and so many pings have come, then stop the worker.

    Returns its exit code, also when it ended by itself.
    """

    def is_over() -> bool:
        came = sum(request.route == "ping" for request in engine.requests)
        return came >= pings and all(job.status == "pushed" for job in engine.jobs())

    end = time.monotonic() + PATIENCE_SECONDS
    while worker.is_running and not is_over() and time.monotonic() < end:
        await asyncio.sleep(0.02)
    await worker.wait_for("event=worker_ready")
    if pings:
        await asyncio.sleep(_AFTER_RESULTS_SECONDS)
    worker.signal(signal.SIGTERM)
    return await worker.ended()


def _problems(engine: DevEngine, records: list[JobRecord], trace: Path, worker: Worker) -> list[str]:
    problems: list[str] = []
    runs = (
        Counter(line.split()[0] for line in trace.read_text().splitlines()) if trace.exists() else Counter()
    )
    for act, record in zip(ACTS, records, strict=True):
        sent = [json.loads(each.body_text) for each in engine.requests if each.route == "result"]
        texts = {json.dumps(body) for body in sent if body["jobExecutionId"] == record.job_id}
        accepted = [
            each
            for each in engine.requests
            if each.route == "result" and each.status == 201 and record.job_id in each.body_text
        ]
        if record.status != "pushed":
            problems.append(f"{act} is {record.status}")
        if len(accepted) != 1:
            problems.append(f"{act} has {len(accepted)} accepted results")
        if len(texts) > 1:
            problems.append(f"{act} was told {len(texts)} different results")
        if record.attempts > 1 or runs[record.job_id] > record.attempts:
            problems.append(
                f"{act} was claimed {record.attempts} time(s) and ran {runs[record.job_id]} time(s)"
            )
        if record.result_status == "success" and (act != "slow" or runs[record.job_id] != 1):
            problems.append(f"{act} succeeded, having run {runs[record.job_id]} time(s)")
        if runs[record.job_id] and "Not run" in (record.result_text or ""):
            problems.append(f"{act} ran, and its result denies it")
    problems += _journal_problems(worker.state_dir / "journal.sqlite3")
    if left := [*(worker.state_dir / "jobs").glob("*"), *worker.temporary.iterdir()]:
        problems.append(f"left behind: {', '.join(map(str, left))}")
    return problems


def _journal_problems(file: Path) -> list[str]:
    if not file.exists():
        return ["there is no journal"]
    database = sqlite3.connect(file)
    try:
        (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        (left,) = database.execute("SELECT count(*) FROM claims").fetchone()
    except sqlite3.Error as error:
        return [f"the journal can't be read: {error}"]
    finally:
        database.close()
    problems = [] if verdict == "ok" else [f"the journal is broken: {verdict}"]
    return problems + ([f"{left} claim(s) are left in the journal"] if left else [])


def _note(record: JobRecord) -> str:
    message = str(((record.result or {}).get("result") or {}).get("message", ""))
    for sign, note in {
        "Done: ": "done",
        "Failed as ": "failed as asked",
        "ended while the job ran": "interrupted",
        "knows nothing of it": "claim lost",
        "Not run: ": "not run",
    }.items():
        if sign in message:
            return note
    return f"{record.status} {message[:40]!r}"
