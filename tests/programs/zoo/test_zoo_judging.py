"""How the zoo judges the end of a job on a machine that stands still: what the machine did is not the worker's."""

import json

import pytest

from sdk.devengine import JobRecord
from tests.faults.processors import Lateness
from tests.programs.zoo.judging import judge
from tests.programs.zoo.members import TIME, Member
from tests.programs.zoo.visit import Visit

CLAIMED_AT = 100.0
LIMIT_AND_GRACE = 2.3
SHOWN = 'Killed.\nWhere it was:\n  File "/x/hangs.py", line 1 in run'
ELSEWHERE = 'Killed.\nWhere it was:\n  File "/x/other.py", line 1 in run'
AT_THE_END: Lateness = (CLAIMED_AT + 2.6, 0.4)
IN_THE_BEGINNING: Lateness = (CLAIMED_AT + 1.0, 0.4)


def record(job_id: str, *, success: bool, message: str, seconds: float, data: object = None) -> JobRecord:
    result = {"result": {"success": success, "message": message, "data": data}}
    return JobRecord(
        job_id=job_id, block="neops_zoo/hangs:1.0.0", step_label=None, type="execute", run_on="global",
        entity_id=None, status="pushed", result_status=None, worker_id="w", attempts=1, created_at=CLAIMED_AT,
        updated_at=CLAIMED_AT, claimed_at=CLAIMED_AT, finished_at=CLAIMED_AT + seconds, finished_by="worker",
        item_text="{}", result_text=json.dumps(result),
    )  # fmt: skip


def problems(message: str, seconds: float, *standstills: Lateness) -> tuple[str, ...]:
    member = Member("neops_zoo/hangs", TIME, "hangs.py")
    jobs = {
        "hung": record("hung", success=False, message=message, seconds=seconds),
        "next": record("next", success=True, message="", seconds=0.1, data={"text": member.name}),
    }
    visit = Visit(member, "hung", "next", ())
    return judge(visit, jobs, {"hung": "time_limit"}, standstills).problems


def test_a_job_that_ends_in_time_and_says_where_it_was_is_as_it_must_be() -> None:
    assert problems(SHOWN, LIMIT_AND_GRACE + 0.1) == ()


@pytest.mark.parametrize("standstills", [(), (IN_THE_BEGINNING,)])
def test_a_place_that_is_missing_is_a_problem_unless_a_processor_stood_still_at_the_end(
    standstills: tuple[Lateness, ...],
) -> None:
    assert problems("Killed.", LIMIT_AND_GRACE + 0.3, *standstills) == ("the message must tell 'hangs.py'",)
    assert problems("Killed.", LIMIT_AND_GRACE + 0.3, *standstills, AT_THE_END) == ()


def test_another_place_is_a_problem_whatever_the_machine_did() -> None:
    assert problems(ELSEWHERE, LIMIT_AND_GRACE + 0.3, AT_THE_END) == ("the message must tell 'hangs.py'",)


def test_an_end_may_be_as_late_as_the_machine_stood_still_during_this_job() -> None:
    (problem,) = problems(SHOWN, LIMIT_AND_GRACE + 0.8)
    assert problem == "it ended 0.80 s after limit and grace, of 0.50 s"
    assert problems(SHOWN, LIMIT_AND_GRACE + 0.8, IN_THE_BEGINNING) == ()
    assert problems(SHOWN, LIMIT_AND_GRACE + 0.8, (CLAIMED_AT - 5, 2.0)) == (problem,)
