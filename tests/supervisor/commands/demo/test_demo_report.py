"""What counts as expected, and what does not."""

from dataclasses import replace

import pytest

from supervisor.commands.demo.census import Found
from supervisor.commands.demo.engine_view import JobSeen
from supervisor.commands.demo.expectation import DemoJob, Result
from supervisor.commands.demo.lateness import Lateness
from supervisor.commands.demo.report import Report, judge, skip
from supervisor.commands.demo.scenario import DESCENDANTS, jobs
from supervisor.verdict import Cause

ON_TIME = Lateness(beats=30, median_seconds=0.001, worst_seconds=0.01)
GOOD = Report(
    rows=(),
    interval_seconds=0.2,
    heartbeat=ON_TIME,
    beats_due=30,
    machine=ON_TIME,
    held_up_beats=0,
    processes_seen=20,
    descendants_seen=DESCENDANTS,
    left=(),
    worker_exit_code=0,
    elapsed_seconds=8.0,
)
STACK = (
    'Killed.\nWhere it was:\nCurrent thread 0x1 (most recent call first):\n  File "/x/{}", line 3 in run\n'
)


def planned(name: str) -> DemoJob:
    return next(job for job in jobs("mark", 22) if job.name == name)


def seen(success: bool, message: str = "", **data: object) -> JobSeen:
    return JobSeen(Result(success, message, data), 1.0)


def test_a_report_in_order_has_no_problems() -> None:
    assert GOOD.problems() == []
    assert GOOD.as_json()["as_expected"] is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"left": (Found(77, "sleep 600"),)}, "Left over: process 77 (sleep 600)."),
        ({"worker_exit_code": 3}, "The worker ended with exit code 3 after SIGTERM."),
        (
            {"descendants_seen": ("plain",)},
            "Descendants that should have run were never seen: setsid, daemon.",
        ),
        ({"heartbeat": replace(ON_TIME, worst_seconds=3.0)}, "A heartbeat was 3.00 s late."),
        ({"heartbeat": replace(ON_TIME, beats=20)}, "10 of 30 heartbeats are missing."),
        ({"rows": (judge(planned("echo"), None, None),)}, "echo: the engine got no result for it."),
    ],
)
def test_each_thing_that_is_not_in_order_is_a_problem(change: dict[str, object], words: str) -> None:
    report = replace(GOOD, **change)
    assert report.problems() == [words]
    assert report.as_json()["as_expected"] is False


def test_a_beat_that_the_machine_itself_held_up_is_no_problem() -> None:
    late = replace(ON_TIME, worst_seconds=3.0)
    assert replace(GOOD, heartbeat=late, machine=late).problems() == []


def test_beats_that_were_lost_while_a_processor_stood_still_are_no_problem_and_one_more_is() -> None:
    late = replace(ON_TIME, worst_seconds=1.0)
    fewer = replace(ON_TIME, beats=20, worst_seconds=1.6)
    assert replace(GOOD, heartbeat=fewer, machine=late, held_up_beats=8).problems() == []
    one_more = replace(GOOD, heartbeat=replace(fewer, beats=19), machine=late, held_up_beats=8)
    assert one_more.problems() == ["11 of 30 heartbeats are missing."]


def test_a_skipped_job_is_no_problem_and_says_why() -> None:
    row = skip(planned("show_command"), "no device")
    assert (row.outcome, row.problem, row.remark) == ("not run", "", "no device")


def test_the_right_cause_at_the_right_place_is_as_expected() -> None:
    row = judge(planned("hang_sleep"), seen(False, STACK.format("hangs.py")), Cause.TIME_LIMIT)
    assert (row.problem, row.where) == ("", "hangs.py:3 run")


@pytest.mark.parametrize(
    ("name", "job_seen", "cause", "words"),
    [
        (
            "echo",
            seen(False, "No.\nMore"),
            Cause.BLOCK_FAILED,
            "expected completed, but it ended with block_failed: No.",
        ),
        ("echo", seen(True, text="hello"), Cause.COMPLETED, "it did not give the text back"),
        ("python_eval", seen(True, value=44), Cause.COMPLETED, "the value is wrong"),
        ("segfault", seen(True), Cause.CRASHED, "expected crashed, but it ended with crashed: "),
        ("exit_code", seen(False, "exit code 8"), Cause.EXITED, "its exit code is not told"),
        (
            "hang_sleep",
            seen(False, "Killed."),
            Cause.TIME_LIMIT,
            "it must have been in hangs.py when it ended, not in an unknown place",
        ),
        (
            "hang_sleep",
            seen(False, STACK.format("other.py")),
            Cause.TIME_LIMIT,
            "it must have been in hangs.py when it ended, not in other.py:3 run",
        ),
        (
            "ignore_sigterm_tree",
            seen(False, STACK.format("descendants.py")),
            Cause.TIME_LIMIT,
            "it left no three processes",
        ),
        (
            "hang_await",
            seen(False, STACK.format("hangs.py")),
            None,
            "expected time_limit, but it ended with no cause in the log: Killed.",
        ),
        ("show_command", seen(True, outputs=[]), Cause.COMPLETED, "only 0 commands were answered"),
    ],
)
def test_any_other_result_is_a_problem(name: str, job_seen: JobSeen, cause: Cause | None, words: str) -> None:
    assert judge(planned(name), job_seen, cause).problem == words


def test_a_ping_that_could_not_be_carried_out_is_excused_with_its_reason() -> None:
    row = judge(planned("ping"), seen(False, "The program `ping` is not installed."), Cause.BLOCK_FAILED)
    assert (row.problem, row.remark) == ("", "The program `ping` is not installed.")
    assert (row.outcome, row.cause) == ("not run", "")


def test_a_ping_that_nobody_answered_is_not_excused() -> None:
    row = judge(planned("ping"), seen(False, "0 of 3 came back", reachable=False), Cause.BLOCK_FAILED)
    assert row.problem == "expected completed, but it ended with block_failed: 0 of 3 came back"
