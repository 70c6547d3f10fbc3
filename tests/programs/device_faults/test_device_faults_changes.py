"""Whether `make device-faults` notices a change that is not told, not taken back, or taken back too late."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from sdk.testing.loop_thread import LoopThread
from tests.hosting.hosting import hosted
from tests.programs.device_faults.change_cases import (
    CHANGE_SECONDS,
    CONFIRM_SECONDS,
    ON_IOS,
    ChangeCase,
    on_frr,
)
from tests.programs.device_faults.change_judging import judge_change
from tests.programs.device_faults.change_places import ios
from tests.programs.device_faults.change_running import LATE_SECONDS, ChangeSeen, run_changes
from tests.programs.device_faults.running import Lateness, sources
from tests.programs.device_faults.worker_killed import CASE

LATEST = CONFIRM_SECONDS + LATE_SECONDS
BEFORE = "hostname r1\nshutdown\n"
ONE_LINE = BEFORE + "ntp server 192.0.2.77\n"
PART = ChangeCase("part", ios(), "1 of 3 lines are in force", after="part")
BACK = ChangeCase("back", ios(), "as it was before")
DONE = {
    "success": False,
    "cause": "block_failed",
    "retryable": False,
    "message": "1 of 3 lines are in force, of line 2 ('x') it is not known.",
    "body": "",
    "lines": [{"text": "r1: sending a change of 3 lines"}],
    "leftovers": 0,
    "elapsed": 1.0,
}
DATA = {
    "calls": [{"name": "apply", "began": 100.0, "ended": 102.0, "limit_seconds": CHANGE_SECONDS}],
    "threads_left": [],
    "descriptors_left": [],
    "next_device_answered": True,
}
ROLLED_BACK = {"success": True, "message": "The change was taken back"}
SEEN = ChangeSeen(PART, DONE, DATA, BEFORE, ONE_LINE, None, True, ROLLED_BACK, BEFORE, (), "made-up-7")


def problems(seen: ChangeSeen) -> tuple[str, ...]:
    return judge_change(seen, Lateness()).problems


def test_a_change_that_ended_as_it_must_has_no_problem() -> None:
    assert problems(SEEN) == ()
    back = {"message": "refused line 2. Its configuration is as it was before."}
    assert problems(dataclasses.replace(SEEN, case=BACK, done=DONE | back, after=BEFORE)) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"done": DONE | {"success": True}}, "it must fail"),
        ({"done": DONE | {"cause": "crashed"}}, "the verdict must be block_failed, not crashed"),
        ({"done": DONE | {"retryable": True}}, "retryable must be False"),
        ({"done": DONE | {"message": "The session ended."}}, "says nothing of what is on the device"),
        (
            {"done": DONE | {"message": "1 of 3 lines are in force. Its configuration is as it was before."}},
            "says that the device is as before, and it is not",
        ),
        ({"done": DONE | {"message": "2 of 3 lines are in force, of line 3"}}, "the result counts 2 lines"),
        ({"done": DONE | {"lines": []}}, "the log does not say that a change was begun"),
        ({"done": DONE | {"leftovers": 1}}, "processes were left"),
        ({"done": DONE | {"lines": [*DONE["lines"], {"text": "made-up-7"}]}}, "a secret"),  # type: ignore[misc]
        ({"case": BACK}, "the device must be as before"),
        ({"after": BEFORE}, "a part of the change must be on the device"),
        (
            {"case": dataclasses.replace(BACK, after="timer"), "back_seconds": LATEST + 0.1},
            f"of {LATEST:g} s",
        ),
        ({"case": dataclasses.replace(PART, is_typed=False)}, "nothing was to be typed"),
        ({"rolled_back": {"success": False, "message": "no login"}}, "a rollback, failed: no login"),
        ({"case": dataclasses.replace(PART, after="foreign")}, "what another has done complete"),
        ({"after_rollback": ONE_LINE}, "after the rollback the text is another one"),
        ({"data": DATA | {"threads_left": ["a", "b"]}}, "threads were left"),
        ({"data": DATA | {"next_device_answered": False}}, "another device did not answer"),
        (
            {"data": DATA | {"calls": [DATA["calls"][0] | {"ended": 100.6 + CHANGE_SECONDS}]}},  # type: ignore[index]
            "0.60 s after its limit",
        ),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(dataclasses.replace(SEEN, **change)))


def test_each_case_has_a_name_of_its_own_and_a_pattern() -> None:
    cases = [*ON_IOS, *on_frr(()), CASE]
    assert len({case.name for case in cases}) == len(cases)
    assert all(re.compile(case.told) for case in cases)


def test_a_job_that_is_killed_between_two_lines_names_the_change_and_a_new_job_rolls_it_back(
    tmp_path: Path,
) -> None:
    cases = [case for case in ON_IOS if case.name == "killed between two lines"]
    with LoopThread("changes") as loop, hosted(tmp_path / "host", sources=sources(), spares=1) as host:
        (seen,) = run_changes(host, loop, cases, 1)
    assert judge_change(seen, Lateness()).problems == ()
