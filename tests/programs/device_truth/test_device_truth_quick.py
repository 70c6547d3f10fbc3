"""The seeded cases in simulated time: no output is cut; and a reading that believes any prompt cuts some."""

import pytest

from sdk.connection.reading import Reading
from tests.programs.device_truth.simulation import Case, outcome, random_case


def test_no_output_is_cut_in_a_hundred_seeded_cases() -> None:
    cases = {seed: random_case(seed) for seed in range(100)}
    assert [seed for seed, case in cases.items() if outcome(case, seed) != case.output] == []


@pytest.mark.parametrize("echoes_ahead", [False, True])
def test_a_pause_at_every_byte_cuts_nothing(echoes_ahead: bool) -> None:
    output = "a\nr1#\nr1#\nr1#\nb r1#"
    for at in range(1, len(output.replace("\n", "\r\n")) + 3):
        assert outcome(Case("r1#", output, {at: 0.5}, echoes_ahead), at) == output, at


def test_a_device_that_echoes_no_blanks_is_read_too() -> None:
    assert outcome(Case("r1#", "a\nb", {}, False, echoes_blanks=False), 0) == "a\nb"


def test_without_the_confirmation_outputs_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reading, "_is_answered", lambda *_: True)
    cases = {seed: random_case(seed) for seed in range(100)}
    assert [seed for seed, case in cases.items() if outcome(case, seed) != case.output]
