"""How a child comes into the world, rule by rule."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hosting import ROOT, Host

from jobrunner import bootstrap as birth
from jobrunner.bootstrap import wait_for_adoption
from tests.patience import PATIENCE_SECONDS

SCENARIO = Path(__file__).with_name("adoption_scenario.py")


def scenario(name: str) -> str:
    command = [sys.executable, str(SCENARIO), name]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    return done.stdout.strip()


def test_a_child_waits_for_the_supervisor_to_be_its_parent_and_then_sets_its_death_signal() -> None:
    assert scenario("early") == "before: born; after: adopted by 1 signal 9"


def test_a_child_looks_again_after_its_death_signal_is_set() -> None:
    assert scenario("orphaned") == "child ended with 1"


def test_a_child_shows_neither_command_line_nor_script_of_whoever_started_it() -> None:
    assert scenario("identity") == "['neops-job'] False False"


def test_a_child_has_the_default_action_for_what_its_parent_ignores_and_nothing_blocked() -> None:
    assert scenario("signals") == "[0, 0, 0] set()"


def test_a_child_notices_within_a_fraction_of_a_millisecond_that_it_is_adopted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A job without a spare waits for it."""
    parents, pauses = [7, 7, 1, 1], []
    clock = SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(birth, "time", clock)
    monkeypatch.setattr(birth, "os", SimpleNamespace(getppid=lambda: parents.pop(0)))
    monkeypatch.setattr(birth.linux, "die_with_parent", lambda: None)
    wait_for_adoption(1)
    assert len(pauses) == 2
    assert 0 < max(pauses) < 0.0005


def test_births_are_announced_before_the_middle_process_ends(host: Host) -> None:
    """A child that is swept in the moment of its birth was unknown: nobody had announced it."""
    seen = host.ask("births_and_sweeps", births=200)
    assert (seen["lived"], seen["swept"]) == (200, 0)
    assert seen["sweeps"] > 200


def test_a_birth_that_is_given_up_leaves_no_child(host: Host) -> None:
    assert host.ask("abandoned_birth")["left"] == []


def test_the_supervisor_is_the_parent_of_every_child(host: Host) -> None:
    state = host.run("read_state")
    assert f'"parent_pid":{host.pid},' in state["body"]


def test_spares_start_at_most_one_per_core_at_a_time(host: Host) -> None:
    seen = host.ask("starts_at_once", target=8)
    assert seen["ready"] == 8
    assert 1 <= seen["most"] <= seen["cores"]


def test_waiting_for_a_child_has_a_time_out(host: Host) -> None:
    seen = host.ask("take_without_template")
    assert "No child could be started within 0.3 s" in seen["error"]
    assert seen["waited"] >= 0.3


def test_a_spare_is_started_again_after_each_outcome(host: Host) -> None:
    before = host.ask("processes")["spares"]
    assert host.run("slow", {"seconds": 0})["cause"] == "completed"
    after = host.ask("processes")["spares"]
    assert len(before) == len(after) == 1
    assert before != after


def test_a_supervisor_without_descriptors_does_not_try_to_start_children_without_a_pause(host: Host) -> None:
    seen = host.ask("starts_without_descriptors")
    assert 1 <= seen["attempts"] <= 3
    assert seen["leaked"] == 0
