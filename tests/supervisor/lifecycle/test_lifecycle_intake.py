"""Whether the worker asks for jobs: what a pause, a drain, their ends and each other lead to."""

from supervisor.lifecycle.intake import (
    LONGEST_NOTE_CHARS,
    LONGEST_PAUSE_SECONDS,
    IntakeMode,
    IntakeState,
    Left,
    draining,
    looked,
    one_line,
    paused,
    why_closed,
)

OPEN = IntakeState()
NOTHING = Left()
PAUSED = paused(OPEN, 100, "root", "switch upgrade", 60)
DRAINING = draining(OPEN, 100, "root", "", ends_worker=False)


def test_a_pause_ends_by_itself_when_its_time_is_over_and_not_before() -> None:
    assert not PAUSED.is_open
    assert looked(PAUSED, 159.9, NOTHING) is PAUSED
    assert looked(PAUSED, 160, Left(jobs=3)).is_open


def test_a_pause_without_a_time_ends_only_by_somebody() -> None:
    state = paused(OPEN, 100, "root", "", None)
    assert looked(state, 10**9, NOTHING) is state
    assert state.seconds_left(10**9) is None


def test_a_second_pause_replaces_time_and_note_of_the_first_and_lasts_since_that() -> None:
    state = paused(PAUSED, 150, "alice", "router upgrade", 600)
    assert (state.since, state.until, state.by, state.note) == (100, 750, "alice", "router upgrade")


def test_a_pause_never_takes_the_place_of_a_drain() -> None:
    """At its end the worker would ask for jobs that nobody wants on this machine."""
    for state in (DRAINING, looked(DRAINING, 101, NOTHING)):
        assert paused(state, 102, "root", "", 1) is state


def test_a_drain_takes_the_place_of_a_pause_and_does_not_end_with_it() -> None:
    state = draining(PAUSED, 120, "alice", "", ends_worker=False)
    assert (state.mode, state.until) == (IntakeMode.DRAINING, None)
    assert looked(state, 1000, Left(jobs=1)) is state


def test_a_drain_is_over_only_when_jobs_results_and_requests_are() -> None:
    for left in (Left(jobs=1), Left(results=1), Left(requests=1)):
        assert looked(DRAINING, 200, left) is DRAINING
    assert looked(DRAINING, 200, NOTHING).mode is IntakeMode.DRAINED


def test_a_drained_worker_stays_drained_whatever_comes_back() -> None:
    """An operator may retry a dead letter: its result waits again, and the worker still asks for no jobs."""
    drained = looked(DRAINING, 200, NOTHING)
    assert looked(drained, 201, Left(results=1)) is drained


def test_a_second_drain_can_add_that_the_worker_ends_and_never_take_it_back() -> None:
    ends = draining(DRAINING, 110, "alice", "", ends_worker=True)
    assert (ends.ends_worker, ends.by) == (True, "root")
    assert draining(ends, 120, "alice", "", ends_worker=False).ends_worker


def test_why_no_jobs_are_asked_for_says_who_how_long_and_why() -> None:
    assert why_closed(OPEN, 0, NOTHING) is None
    assert why_closed(PAUSED, 130, NOTHING) == "paused by root, 30 s left: switch upgrade."
    for_ever = paused(OPEN, 0, "root", "", None)
    assert why_closed(for_ever, 0, NOTHING) == "paused by root until `supervisor resume` or a restart."
    assert why_closed(DRAINING, 100, Left(2, 1)) == (
        "being drained by root, with 2 job(s) to finish, 1 result(s) to deliver."
    )
    drained = looked(DRAINING, 200, NOTHING)
    assert why_closed(drained, 200, NOTHING) == (
        "drained by root; `supervisor resume` or a restart has it ask for jobs again."
    )


def test_a_note_is_one_line_that_is_not_too_long_and_a_pause_has_an_end() -> None:
    assert one_line("a\nb\x1b[31m\t") == "a b [31m"
    assert len(one_line("x" * 10_000)) == LONGEST_NOTE_CHARS
    assert paused(OPEN, 0, "root", "", 1e300).until == LONGEST_PAUSE_SECONDS
