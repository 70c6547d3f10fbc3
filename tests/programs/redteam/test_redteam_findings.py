"""That the runner of the attacks tells one that succeeds, and one that hangs, from one that held."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.programs.redteam import __main__ as program
from tests.programs.redteam.__main__ import _try
from tests.programs.redteam.attack import ATTACKS, Attack, BrokenError, CannotError, attack, check
from tests.programs.redteam.attacks import all_attacks
from tests.programs.redteam.finding import Finding, State, table
from tests.programs.redteam.known_open import KNOWN_OPEN
from tests.programs.redteam.one import try_attack
from tests.programs.redteam.scene import BEAT_SECONDS, Scene, beyond


def played(run: object, *, pings: bool = False) -> Attack:
    return Attack("T1", "played", run, (), pings, 60, True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "state"), [(BrokenError("it stopped"), State.BROKEN), (CannotError("no disk"), State.SKIPPED)]
)
async def test_an_attack_that_succeeds_or_cannot_be_tried_is_told_with_its_reason(
    raised: Exception, state: State, tmp_path: Path
) -> None:
    async def run(scene: Scene) -> str:
        raise raised

    finding = await try_attack(played(run), tmp_path)
    assert (finding.state, finding.figure) == (state, str(raised))


async def test_an_attack_that_holds_but_stops_the_heartbeat_is_broken(tmp_path: Path) -> None:
    async def run(scene: Scene) -> str:
        return "all is well"

    finding = await try_attack(played(run, pings=True), tmp_path)
    assert finding.state is State.BROKEN


async def test_an_attack_that_hangs_is_ended_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    number = next(iter(all_attacks()))
    one = ATTACKS[number]
    hanging = Attack(number, one.title, one.run, (), False, 0.05, True)
    begun = time.monotonic()
    finding = await _try(hanging)
    assert finding.state is State.ERROR
    assert "not over within" in finding.figure
    assert time.monotonic() - begun < 60


def test_two_attacks_of_one_number_are_refused() -> None:
    number = next(iter(all_attacks()))
    with pytest.raises(AssertionError, match=f"two attacks are called {number}"):
        attack(number, "again")(ATTACKS[number].run)


def test_no_attack_is_both_tried_and_told_as_open() -> None:
    assert not {*all_attacks()} & {*KNOWN_OPEN}


def test_a_number_that_nobody_knows_is_refused_with_those_that_there_are() -> None:
    command = [sys.executable, "-m", "tests.programs.redteam", "R999"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 2
    assert "R999" in done.stderr
    assert next(iter(all_attacks())) in done.stderr


def test_pings_are_late_only_by_what_the_machine_was_not() -> None:
    pings = [0.0, BEAT_SECONDS, BEAT_SECONDS * 2 + 0.5]
    assert beyond(pings, [0.0, 0.2]) == pytest.approx(0.3)
    assert beyond(pings, [0.9]) == 0.0


def test_the_table_counts_each_state() -> None:
    text = table(
        [
            Finding("R1", "one", State.HELD, "a figure", 1.0, 0.02),
            Finding("R2", "two", State.BROKEN, "why", 2.0),
        ]
    )
    assert "1 held, 1 BROKEN, 0 skipped, 0 open, 0 ERROR" in text
    assert "20 ms" in text


def test_the_last_lines_say_which_attacks_did_not_hold_and_why() -> None:
    text = table(
        [
            Finding("R1", "one", State.BROKEN, "it stopped\nfor good", 1.0),
            Finding("R2", "two", State.HELD, "a figure", 2.0),
            Finding("R3", "three", State.ERROR, "it was not over", 2.0),
        ]
    )
    assert text.splitlines()[-2:] == [
        "NO: R1 (one): BROKEN: it stopped for good",
        "NO: R3 (three): ERROR: it was not over",
    ]


def test_check_says_what_it_was_given() -> None:
    with pytest.raises(BrokenError, match="lost"):
        check([], "lost")
    check([1], "lost")


def error() -> Finding:
    return Finding("T1", "played", State.ERROR, "a reason", 0.1)


def broken(ping_seconds: float | None = None) -> Finding:
    return Finding("T1", "played", State.BROKEN, "a reason", 0.1, ping_seconds)


def holding() -> Finding:
    return Finding("T1", "played", State.HELD, "a figure", 0.1, 0.01)


@pytest.mark.parametrize(
    ("tries", "last"),
    [
        ([error(), holding()], State.HELD),
        ([error(), error()], State.ERROR),
        ([broken(0.4), holding()], State.HELD),
        ([broken(0.4), broken(0.4)], State.BROKEN),
        ([broken()], State.BROKEN),
    ],
    ids=["did not come off", "never comes off", "late once", "late again", "broke the worker"],
)
async def test_only_what_the_machine_alone_may_have_done_is_tried_once_more_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tries: list[Finding], last: State
) -> None:
    left = list(tries)

    async def tried(attack: Attack) -> Finding:
        return left.pop(0)

    monkeypatch.setattr(program, "_try", tried)
    one = next(iter(ATTACKS.values()))
    (finding,) = await program._try_all([one])
    assert (finding.state, left) == (last, [])
    assert ("is tried once more. The first try: a reason" in capsys.readouterr().err) == (len(tries) == 2)
