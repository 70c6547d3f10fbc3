"""What came of a job, as data that can be kept and compared."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from sdk.devengine import DevEngine, JobRecord
from tests.programs.compat.jobs import JOBS

KEPT: Final = Path(__file__).parent / "reference_outcomes.json"
"""What the reference worker's outcomes were."""

# Both SDKs give new entities ids from here on, at random.
_FIRST_TEMPORARY_ID: Final = 10_000_000

Outcome = dict[str, Any]


def outcome_of(record: JobRecord) -> Outcome:
    """Return the parts of a result that are compared. Temporary ids are numbered in the order of their appearance."""
    if record.finished_by != "worker":
        return {"finished_by": record.finished_by}
    body = record.result or {}
    result = body.get("result") or {}
    return _renumbered(
        {
            "success": result.get("success"),
            "message": result.get("message"),
            "data": result.get("data"),
            "dbUpdates": _updates((result.get("dbUpdates") or {}).get("updates")),
            "acquires": body.get("acquires") or result.get("acquires") or None,
        }
    )


async def outcomes_of(engine: DevEngine, jobs: dict[str, str], timeout_seconds: float) -> dict[str, Outcome]:
    """Wait for the jobs (name to id) and return their outcomes by name; of one that has no result: `None` in all."""
    found = {}
    for name, job_id in jobs.items():
        found[name] = outcome_of(await engine.wait_for_result(job_id, timeout_seconds))
    return found


def submit_all(
    engine: DevEngine, contexts: Mapping[str, dict[str, Any]], libraries: Collection[str]
) -> dict[str, str]:
    """Submit every job and return its id by its name. One whose router or library is not there is left out."""
    there = [job for job in JOBS if job.router in ("", *contexts) and job.library in ("", *libraries)]
    return {job.name: engine.submit(**job.submission(contexts)) for job in there}


def read_kept() -> dict[str, Any]:
    """Return what was kept: `worker` (which one it was) and `outcomes`."""
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return kept


def keep(worker: dict[str, str], outcomes: dict[str, Outcome]) -> None:
    """Write what the reference worker's outcomes are."""
    text = json.dumps({"worker": worker, "outcomes": outcomes}, indent=1, ensure_ascii=False, sort_keys=True)
    KEPT.write_text(text + "\n", encoding="utf-8")


def _updates(updates: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Return updates in one order: the reference emits those of one kind in the order of a set.

    In the data of a new entity, null and absent are one: which fields there are depends on the client's version.
    """
    if not updates:
        return None
    plain = [
        {**update, "data": _without_nulls(update["data"])} if update.get("data") else update
        for update in updates
    ]
    kinds = {"device": 0, "interface": 1, "group": 2}
    operations = {"create": 0, "delete": 1, "patch": 2}
    return sorted(
        plain,
        key=lambda each: (
            kinds[each["entity"]],
            operations[each["operation"]],
            each["id"],
            each.get("path", ""),
        ),
    )


def _without_nulls(value: Any) -> Any:
    return (
        {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value
    )


def _renumbered(outcome: Outcome) -> Outcome:
    seen: dict[float, str] = {}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= _FIRST_TEMPORARY_ID:
            return seen.setdefault(value, f"new {len(seen) + 1}")
        # JSON has one type of numbers: the generated client turns 5 into 5.0 on its way.
        return int(value) if isinstance(value, float) and value.is_integer() else value

    renumbered: Outcome = walk(outcome)
    return renumbered
