"""`supervisor jobs`: the state of a job is the word that `job`, `top` and `--json` have for it."""

from typing import Any

import pytest

from supervisor.commands import jobs


def a_job(**more: Any) -> dict[str, Any]:
    job = dict.fromkeys(("slot", "pid", "memory_bytes", "cpu_seconds", "last_line", "stalled_seconds"))
    return {**job, "job_id": "1", "block": "acme/ping:1.0.0", "state": "running", "seconds": 12.0, **more}


@pytest.mark.parametrize(("stalled", "shown"), [(None, "running"), (12.0, "running, stalled 12.0 s")])
def test_a_stall_stands_beside_the_state_and_not_in_its_place(stalled: float | None, shown: str) -> None:
    assert jobs._row(a_job(stalled_seconds=stalled))[2] == shown


def test_where_no_worker_runs_nothing_is_said_of_the_jobs_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    ended = {"job_id": "1", "block": "acme/ping:1.0.0", "seconds": 1.0, "cause": "completed"}
    for has_worker in (True, False):
        jobs._print({"jobs": [], "ended": [ended]}, has_worker=has_worker, with_ended=True)
        said = capsys.readouterr().out
        assert ("The worker has no jobs." in said) == has_worker
        assert "acme/ping:1.0.0" in said
