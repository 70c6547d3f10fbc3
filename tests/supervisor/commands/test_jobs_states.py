"""`supervisor jobs`: the state of a job is the word that `job`, `top` and `--json` have for it."""

import re
import time
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
        answer = {"jobs": [] if has_worker else None, "ended": [ended]}
        jobs._print(answer, with_ended=True)
        said = capsys.readouterr().out
        assert ("The worker has no jobs." in said) == has_worker
        assert "acme/ping:1.0.0" in said


def test_of_a_job_that_has_ended_it_is_said_when() -> None:
    ended = {"job_id": "1", "block": "acme/ping:1.0.0", "seconds": 1.0, "cause": "completed"}
    when = jobs._ended_row({**ended, "ended_at": time.time() - 60})[2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(.+ ago\)", when)
    assert jobs._ended_row(ended) == ("1", "acme/ping:1.0.0", "", "1.0 s", "completed")
