"""Lateness: against a fixed beat, in the period that counts, without flattery."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from supervisor.commands.demo.lateness import (
    Lateness,
    Period,
    held_up_beats,
    late_beats,
    lateness_within,
    of_the_machine,
    summarise,
)
from tests.patience import PATIENCE_SECONDS


def test_a_beat_is_late_against_the_first_one_plus_its_intervals() -> None:
    assert late_beats([10.0, 10.2, 10.45, 10.6], 0.2) == pytest.approx([0, 0, 0.05, 0])


def test_a_first_beat_that_is_late_does_not_make_the_others_early() -> None:
    assert late_beats([10.05, 10.2, 10.4], 0.2) == pytest.approx([0.05, 0, 0])


def test_a_lost_beat_makes_the_rest_late() -> None:
    assert late_beats([10.0, 10.4, 10.6], 0.2) == pytest.approx([0, 0.2, 0.2])


def test_median_and_worst_are_values_that_were_measured() -> None:
    measured = [number / 1000 for number in range(1, 101)]
    assert summarise(list(reversed(measured))) == Lateness(100, 0.05, 0.1)


def test_no_beat_at_all_is_no_lateness_and_counts_as_none() -> None:
    assert lateness_within([], 0.2, Period(0, 10)) == Lateness(0, 0.0, 0.0)


def test_a_beat_counts_where_it_was_due_however_late_it_came() -> None:
    arrivals = [0.0, 1.0, 2.0, 9.0]
    assert lateness_within(arrivals, 1.0, Period(0.5, 3.5)) == Lateness(3, 0.0, 6.0)


def test_the_machine_is_as_late_as_its_latest_processor_and_has_held_up_what_was_late_on_any() -> None:
    measured = [[0.0, 0.01, 0.0], [0.0, 0.5, 0.3, 0.1, 0.0], []]
    assert of_the_machine(measured) == Lateness(5, 0.1, 0.5)
    assert held_up_beats(measured, 0.2) == 2


def test_the_timer_measures_until_it_is_told_to_stop() -> None:
    began = time.monotonic()
    timer = subprocess.Popen(
        [sys.executable, "-m", "supervisor.commands.demo.timer", "0.01"], stdout=subprocess.PIPE, text=True
    )
    assert timer.stdout is not None
    assert timer.stdout.readline() == "timer ready\n"
    ready_at = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        timer.wait(timeout=0.2)
    # Whoever stands still meanwhile: the timer makes up for it, and there are as many beats as there was time.
    least = (time.monotonic() - ready_at) / 0.01 - 2
    timer.send_signal(signal.SIGTERM)
    output, _ = timer.communicate(timeout=PATIENCE_SECONDS)
    most = (time.monotonic() - began) / 0.01
    measured = json.loads(output)
    assert len(measured) == len(os.sched_getaffinity(0))
    for late in measured:
        assert max(2, least) <= len(late) <= most
        assert min(late) >= 0
    assert timer.returncode == 0
