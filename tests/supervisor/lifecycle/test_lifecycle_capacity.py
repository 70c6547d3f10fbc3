"""When no job could be started: only starts that fail or hang say so, never a moment without a spare."""

import pytest

from supervisor.lifecycle.capacity import FAILURES_UNTIL_LOST, GIVE_BACK_SECONDS, Capacity

SOUND = Capacity().succeeded(began=0.0, now=0.1)


def failing(capacity: Capacity, times: int, began: float = 10.0, **how: bool) -> Capacity:
    for _ in range(times):
        capacity = capacity.failed("No process is left.", began, **how)
    return capacity


def test_before_the_first_child_is_ready_there_is_room_for_no_job_and_no_reason_yet() -> None:
    assert Capacity().room(ready=0) == 0
    assert Capacity().problem(ready=0) == ""


def test_once_a_child_was_ready_a_moment_without_a_spare_is_nothing() -> None:
    assert SOUND.room(ready=0) is None
    assert SOUND.problem(ready=0) is None


def test_one_failure_may_be_an_accident_and_more_in_a_row_are_a_loss_with_the_last_reason() -> None:
    assert failing(SOUND, FAILURES_UNTIL_LOST - 1).problem(ready=0) is None
    lost = failing(SOUND, FAILURES_UNTIL_LOST)
    assert (lost.room(ready=0), lost.problem(ready=0)) == (0, "No process is left.")


def test_failures_are_in_a_row_only_as_long_as_no_start_succeeds() -> None:
    between = failing(SOUND, FAILURES_UNTIL_LOST - 1).succeeded(began=11.0, now=11.1)
    assert failing(between, FAILURES_UNTIL_LOST - 1).problem(ready=0) is None


def test_what_is_ready_still_runs_a_job_each_while_starts_fail() -> None:
    lost = failing(SOUND, FAILURES_UNTIL_LOST)
    assert (lost.room(ready=2), lost.problem(ready=2)) == (2, None)


def test_a_success_ends_the_loss() -> None:
    found = failing(SOUND, 5).succeeded(began=20.0, now=20.1)
    assert (found.room(ready=0), found.problem(ready=0)) == (None, None)
    assert found.wait_until(20.2, 30.0) == 50.2


def test_a_start_that_is_late_is_a_loss_unless_another_has_succeeded_meanwhile() -> None:
    late = SOUND.late(began=10.0, now=15.0)
    assert (late.room(ready=0), late.problem(ready=0)) == (0, "No child has become ready for 5 s.")
    others = SOUND.succeeded(began=10.0, now=12.0)
    assert others.late(began=11.0, now=16.0) == others


@pytest.mark.parametrize(("took", "late_after"), [(0.02, 5.0), (1.0, 5.0), (4.0, 20.0)])
def test_what_is_late_depends_on_how_long_starts_take_here(took: float, late_after: float) -> None:
    assert Capacity().succeeded(began=0.0, now=took).late_after_seconds == pytest.approx(late_after)


def test_a_job_that_waits_while_starts_fail_is_given_back_soon() -> None:
    once = failing(SOUND, 1, began=10.0)
    assert once.wait_until(asked_at=9.0, longest_seconds=30.0) == 10.0 + GIVE_BACK_SECONDS
    assert once.wait_until(asked_at=100.0, longest_seconds=30.0) == 100.0 + GIVE_BACK_SECONDS
    assert once.wait_until(asked_at=9.0, longest_seconds=1.0) == 10.0


def test_the_time_counts_from_the_first_failure() -> None:
    again = failing(failing(SOUND, 1, began=10.0), 3, began=15.0)
    assert again.wait_until(asked_at=9.0, longest_seconds=30.0) == 10.0 + GIVE_BACK_SECONDS


def test_for_what_is_on_its_way_a_job_waits_its_whole_time_but_no_other_is_claimed() -> None:
    coming = failing(SOUND, FAILURES_UNTIL_LOST, on_its_way=True)
    assert coming.room(ready=0) == 0
    assert coming.wait_until(asked_at=9.0, longest_seconds=30.0) == 39.0
