"""A pause and a drain as they are written down: what is read of them after a restart, by whatever clock."""

import json

import pytest

from supervisor.lifecycle.intake import IntakeMode, IntakeState, Left, draining, looked, paused
from supervisor.lifecycle.kept_intake import NOTHING, state_of, text_of

OPEN = IntakeState()
WALL = 1_800_000_000.0
PAUSED = paused(OPEN, 5000, "user root", "switch upgrade", 600)


def test_a_pause_goes_on_after_a_reboot_with_who_why_since_when_and_until_when() -> None:
    text = text_of(PAUSED, 5060, WALL)
    state = state_of(text, now=12, wall_now=WALL + 40)  # the monotonic clock began anew
    assert state is not None
    assert (state.mode, state.by, state.note) == (IntakeMode.PAUSED, "user root", "switch upgrade")
    assert (state.seconds_left(12), 12 - state.since) == (500, 100)


def test_a_pause_without_an_end_has_none_afterwards() -> None:
    state = state_of(text_of(paused(OPEN, 0, "root", "", None), 0, WALL), 0, WALL + 10**8)
    assert state is not None
    assert state.until is None


def test_a_pause_that_has_run_out_meanwhile_is_over() -> None:
    state = state_of(text_of(PAUSED, 5000, WALL), 12, WALL + 601)
    assert state is not None
    assert looked(state, 12, Left()).is_open


def test_a_clock_that_was_set_back_makes_no_pause_longer_than_it_was() -> None:
    state = state_of(text_of(PAUSED, 5000, WALL), 12, WALL - 10**6)
    assert state is not None
    assert (state.seconds_left(12), state.since) == (600, 12)


def test_what_was_drained_drains_again_and_ends_the_worker_where_that_was_asked_for() -> None:
    for ends in (True, False):
        drained = looked(draining(OPEN, 0, "root", "", ends_worker=ends), 1, Left())
        state = state_of(text_of(drained, 1, WALL), 7, WALL)
        assert state is not None
        assert (state.mode, state.ends_worker, state.until) == (IntakeMode.DRAINING, ends, None)


def test_of_a_worker_that_asks_for_jobs_nothing_is_written_down() -> None:
    assert text_of(OPEN, 0, WALL) == NOTHING
    assert state_of(NOTHING, 0, WALL) is None


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "1", "null", "{}", json.dumps({"drains": False, "since": "x", "until": None})],
)
def test_what_can_t_be_read_is_no_pause(text: str) -> None:
    assert state_of(text, 0, WALL) is None
