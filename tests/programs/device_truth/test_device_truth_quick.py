"""The seeded cases in simulated time: no output is cut; and a reading that believes any prompt cuts some."""

import pytest

from sdk.connection.reading import Confirm, Done, Reading, Wait
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


JUNOS, SROS, SRL, VRP = "admin@ex1# ", "A:admin@sr1# ", "A:srl1# ", "<r1>"
MODES = [
    ("[edit]\n" + JUNOS, "admin@ex1> "),
    ("\n[edit]\n" + JUNOS, "admin@ex1> "),
    ("{master:0}\nadmin@ex1> ", None),
    ("{master:0}[edit]\n" + JUNOS, "admin@ex1> "),
    ("{primary:node0}[edit interfaces ge-0/0/0]\n" + JUNOS, None),
    ("[/]\n" + SROS, None),
    ("(ex)[/configure]\n" + SROS, None),
    ("*[ex:/configure]\n" + SROS, None),
    ('!*(pr)[/configure router "Base" interface "to-r2"]\n' + SROS, None),
    ("--{ running }--[  ]--\n" + SRL, None),
    ("--{ + running }--[  ]--\n" + SRL, None),
    ("--{ +* candidate private admin }--[ interface ethernet-1/1 subinterface 1 ]--\n" + SRL, None),
    ("[r1]", VRP),
    ("[~r1]", VRP),
    ("[*r1-GigabitEthernet0/0/1]", "[~r1]"),
    ("HRP_M[fw1]", "HRP_M<fw1>"),
    ("[edge-2]", "[r1]"),
]


@pytest.mark.parametrize("has_blank_gap", [False, True])
@pytest.mark.parametrize("echoes_blanks", [True, False])
@pytest.mark.parametrize(("prompt", "before"), MODES)
def test_a_mode_above_the_prompt_or_in_brackets_is_no_output_and_hides_no_end(
    prompt: str, before: str | None, echoes_blanks: bool, has_blank_gap: bool
) -> None:
    case = Case(prompt, "a\nb", {}, False, echoes_blanks, has_blank_gap, before)
    assert outcome(case, 0) == "a\nb"


@pytest.mark.parametrize("prompt", [prompt for prompt, before in MODES if before is None])
def test_a_login_to_a_mode_above_the_prompt_has_an_end(prompt: str) -> None:
    assert outcome(Case(prompt, "Welcome", {}, False, has_blank_gap=True, prompt_before=""), 0) == "Welcome"


@pytest.mark.parametrize("echoes_ahead", [False, True])
@pytest.mark.parametrize("prompt", [prompt for prompt, _ in MODES])
def test_an_output_with_modes_and_prompts_in_it_is_cut_at_no_byte(prompt: str, echoes_ahead: bool) -> None:
    shown = prompt.rstrip()
    output = f"a\n[edit]\n{shown}\n{shown}\n[OK]\n{shown}\nb\n{shown}"
    for at in range(1, len(output.replace("\n", "\r\n")) + 3):
        assert outcome(Case(prompt, output, {at: 0.5}, echoes_ahead), at) == output, at


@pytest.mark.parametrize("line", ["[OK]", "[r1]", "[startup-config]"])
def test_a_word_in_brackets_is_nothing_to_answer_where_the_prompt_is_not_in_brackets(line: str) -> None:
    reading = Reading("r1#")
    reading.feed(f"write\r\n{line}")
    assert isinstance(reading.step(60), Wait)


def test_without_the_confirmation_outputs_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reading, "_is_answered", lambda *_: True)
    cases = {seed: random_case(seed) for seed in range(100)}
    assert [seed for seed, case in cases.items() if outcome(case, seed) != case.output]


REVERT = (
    "configure terminal revert timer 1\nRollback Confirmed Change: Backing up current running config to flash:a-1\n\n"
    "Enter configuration commands, one per line.  End with CNTL/Z.\n"
    "r1(config)#Rollback Confirmed Change: Rollback will begin in one minute.\n"
    'Enter "configure confirm" if you wish to keep what you\'ve configured\n'
)
CANCEL = "reload cancel\nr1#\n\n***\n*** --- SHUTDOWN ABORTED ---\n***\n"


@pytest.mark.parametrize("echoes_blanks", [True, False])
@pytest.mark.parametrize(("said", "prompt"), [(REVERT, "r1(config)#"), (CANCEL, "r1#")])
def test_what_a_device_says_behind_its_prompt_is_output_and_hides_no_end(
    said: str, prompt: str, echoes_blanks: bool
) -> None:
    command, _, output = said.partition("\n")
    reading = Reading("r1#", echoes_blanks=echoes_blanks)
    reading.feed(said.replace("\n", "\r\n"))
    assert isinstance(reading.step(1.9), Wait)
    step = reading.step(2.0)
    for _ in range(4):
        if isinstance(step, Confirm):
            reading.feed(f"{step.line}\r\n{prompt}")
        step = reading.step(3.0)
    assert step == Done(prompt)
    assert reading.output(command).rstrip("\n") == output.rstrip("\n")


@pytest.mark.parametrize(
    "said",
    [
        "write memory\nBuilding configuration...\n",  # which takes as long as it likes
        "copy a b\nr1#\nDestination filename, or address of the host?",
        "show notes\nr1 is the name of r1#\n",
    ],
)
def test_where_no_prompt_is_hidden_or_something_may_be_asked_nothing_is_typed(said: str) -> None:
    reading = Reading("r1#")
    reading.feed(said.replace("\n", "\r\n"))
    assert [isinstance(reading.step(seconds), Wait) for seconds in (0.0, 2.0, 60.0)] == [True] * 3


def test_at_a_lone_sign_as_the_prompt_no_line_that_begins_with_it_hides_one() -> None:
    reading = Reading("# ")
    reading.feed("cat notes\r\n# a comment\r\n")
    assert isinstance(reading.step(60), Wait)
