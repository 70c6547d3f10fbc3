"""What a job says of devices that it has left half changed: which, what takes it back, and whether to try again."""

from dataclasses import replace

import pytest

from supervisor.verdict import (
    Cause,
    Ending,
    ExitStatus,
    LimitHit,
    LimitKind,
    Limits,
    OpenChange,
    OpenChanges,
    OutcomeSeen,
    Usage,
    decide,
)

LIMITS = Limits(max_seconds=600, grace_seconds=10)
KILLED = Ending(Usage(3.0), LIMITS, exit_status=ExitStatus(signal_name="SIGKILL"))
TIMED_OUT = replace(KILLED, killed=True, limit=LimitHit(LimitKind.TIME, 600.2))
STOPPED = replace(KILLED, killed=True, limit=LimitHit(LimitKind.STOPPING, 5))
UNDER_WAY = OpenChange("r1", "changing", 4)
IN_FORCE = OpenChange("r2", "changed", 1)


def test_of_a_job_that_has_told_of_no_change_nothing_is_said() -> None:
    assert decide(TIMED_OUT) == decide(with_changes(TIMED_OUT))


def with_changes(ending: Ending, *changes: OpenChange, more: int = 0) -> Ending:
    return replace(ending, changes=OpenChanges(changes, more))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            UNDER_WAY,
            "A change of r1 was under way: of its 4 lines, some or all may be in force. Nothing takes them back by "
            "itself. Roll the step back, or look at the device.",
        ),
        (
            replace(UNDER_WAY, timer_seconds=60.0),
            "A change of r1 was under way: of its 4 lines, some or all may be in force. The device takes it back by "
            "itself, 60 s after the change began. Roll the step back, or look at the device.",
        ),
        (IN_FORCE, "A change of r2 (1 line) is in force. Roll the step back if it should not be."),
        (
            replace(IN_FORCE, timer_seconds=60.0),
            "A change of r2 (1 line) was made, and not confirmed. The device takes it back by itself, 60 s after the "
            "change began. Look whether it has, or roll the step back.",
        ),
        (
            OpenChange("r3", "restoring", 0),
            "The configuration of r3 was being restored: a part of it may be. Roll the step back, or look at the "
            "device.",
        ),
    ],
)
def test_a_job_that_was_ended_says_what_it_left_on_a_device_before_all_evidence(
    change: OpenChange, said: str
) -> None:
    for ending in (KILLED, TIMED_OUT, STOPPED):
        lines = decide(with_changes(ending, change)).message.splitlines()
        assert lines[1] == said
        assert lines[2].startswith("Cause: ")


@pytest.mark.parametrize("ending", [KILLED, TIMED_OUT, STOPPED])
def test_a_job_that_left_a_part_of_a_change_is_not_worth_another_try(ending: Ending) -> None:
    assert decide(ending).retryable is (True if ending is STOPPED else None)
    assert decide(with_changes(ending, IN_FORCE)).retryable is decide(ending).retryable
    assert decide(with_changes(ending, UNDER_WAY, IN_FORCE)).retryable is False
    assert decide(with_changes(ending, replace(IN_FORCE, timer_seconds=60.0))).retryable is False


def test_of_many_changes_a_few_are_named_and_the_others_counted() -> None:
    message = decide(with_changes(KILLED, *[UNDER_WAY] * 5, more=7)).message
    assert message.count("A change of r1 was under way") == 5
    assert "Changes of 7 more devices are in force, or may be: the job's log names them." in message


def test_an_error_of_a_block_is_followed_by_what_was_changed_before_it() -> None:
    raised = OutcomeSeen(success=False, message="KeyError: 'x'", raised=True)
    ended = replace(KILLED, exit_status=ExitStatus(code=0), outcome=raised)
    verdict = decide(with_changes(ended, IN_FORCE, UNDER_WAY))
    assert verdict.cause is Cause.BLOCK_RAISED
    assert verdict.message == (
        "KeyError: 'x'\nA change of r2 (1 line) is in force. Roll the step back if it should not be."
    )


@pytest.mark.parametrize("success", [True, False])
def test_what_a_block_returns_stays_as_it_is(success: bool) -> None:
    outcome = OutcomeSeen(success=success, message="as it is", retryable=True)
    ended = replace(KILLED, exit_status=ExitStatus(code=0), outcome=outcome)
    verdict = decide(with_changes(ended, IN_FORCE, UNDER_WAY))
    assert (verdict.message, verdict.retryable) == ("as it is", True)
