"""A slip of the fingers costs one line that says what was most likely meant, whatever the command."""

import importlib
from collections.abc import Callable

import pytest
from commands_support import supervisor

from supervisor.cli import COMMANDS, main, module_of

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command line that is refused before anything is started; return what it says."""

    def run(command: str, *words: str) -> str:
        module = importlib.import_module(module_of(command))
        try:
            code = module.run(list(words))
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        assert (code, said.out) == (2, "")
        return said.err

    return run


@pytest.mark.parametrize("command", ["daemon", *COMMANDS])
def test_an_unknown_flag_of_any_command_is_one_line_that_names_the_nearest_one(
    command: str, refused: Refused
) -> None:
    others = {"daemon": "--log-level"} | dict.fromkeys(("backup", "completion", "deploy"), "--help")
    meant = others.get(command, "--json")
    said = refused(command, meant[:-1])
    program = "supervisor" if command == "daemon" else f"supervisor {command}"
    assert said == (
        f"{program}: there is no flag {meant[:-1]}. Did you mean {meant}? All flags: {program} --help\n"
    )


_NEEDS = {"backup": "copy", "cancel": "job-1", "job": "job-1", "logs": "job-1", "stack": "job-1"}
_OF_A_WORKER = (
    "daemon", "config", "doctor", "drain", "host-keys", "jobs", "journal", "local", "pause", "reload", "resume",
    "status", "support-bundle", "top", *_NEEDS,
)  # fmt: skip


@pytest.mark.parametrize("command", _OF_A_WORKER)
def test_an_empty_directory_is_refused_and_stands_for_no_other_worker(command: str, refused: Refused) -> None:
    program = "supervisor" if command == "daemon" else f"supervisor {command}"
    needed = [_NEEDS[command]] if command in _NEEDS else []
    said = f"{program}: --state-dir needs a value, and is empty: is a variable of the shell not set? "
    for words in (["--state-dir", ""], ["--state-dir="], ["--state-dir", "/somewhere", "--state-dir", ""]):
        assert refused(command, *needed, *words) == f"{said}All flags: {program} --help\n"


def test_an_empty_value_of_any_flag_is_told_beside_what_else_is_wrong(refused: Refused) -> None:
    said = refused(
        "run-block", "echo", "--params=", "--function-blocks", "a", "--function-blocks", "", "--nosuch"
    )
    assert said.splitlines() == [
        "supervisor run-block: there is no flag --nosuch.",
        "supervisor run-block: --function-blocks needs a value, and is empty: is a variable of the shell not set?",
        "supervisor run-block: --params needs a value, and is empty: is a variable of the shell not set? "
        "All flags: supervisor run-block --help",
    ]


def test_all_unknown_flags_are_told_at_once_and_before_what_else_is_wrong(refused: Refused) -> None:
    said = refused("submit", "--parms", "{}", "--nosuch=1", "--wiat").splitlines()
    assert said == [
        "supervisor submit: there is no flag --parms. Did you mean --params?",
        "supervisor submit: there is no flag --nosuch.",
        "supervisor submit: there is no flag --wiat. Did you mean --wait? All flags: supervisor submit --help",
    ]


def test_wrong_values_beside_unknown_flags_are_told_as_well(refused: Refused) -> None:
    """A flag of no meaning may have had a value; what is missing may be what it was to give."""
    said = refused("daemon", "--nosuch", "3", "--engine-ulr=http://x", "--grace-seconds", "-1", "--help")
    assert said.splitlines() == [
        "supervisor: there is no flag --nosuch.",
        "supervisor: there is no flag --engine-ulr. Did you mean --engine-url?",
        "supervisor: --grace-seconds: must be 0 or more.",
        "Try 'supervisor --help'.",
    ]


@pytest.mark.parametrize("words", [["--wiat", "echo"], ["--wiat"], ["echo", "--wiat", "--", "--more"]])
def test_what_follows_from_an_unknown_flag_is_no_news(words: list[str], refused: Refused) -> None:
    assert refused("submit", *words) == (
        "supervisor submit: there is no flag --wiat. Did you mean --wait? All flags: supervisor submit --help\n"
    )


def test_an_abbreviated_flag_is_not_guessed_at(refused: Refused) -> None:
    assert "there is no flag --param. Did you mean --params?" in refused("submit", "echo", "--param", "{}")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["echo", "more"], "unexpected argument 'more'."),
        (["echo", "--params"], "argument --params: expected one argument."),
    ],
)
def test_other_wrong_usage_is_one_line_as_well(words: list[str], complaint: str, refused: Refused) -> None:
    assert (
        refused("submit", *words) == f"supervisor submit: {complaint} All flags: supervisor submit --help\n"
    )


def test_a_submission_of_nothing_is_told_both_ways_to_name_something(refused: Refused) -> None:
    said = refused("submit")
    assert said.endswith("name the block to run, or give --jobs with a job on each line.\n")


def test_a_negative_number_and_a_word_behind_two_dashes_are_no_flags(refused: Refused) -> None:
    assert "there is no flag" not in refused("submit", "--entity-id", "-7")
    assert "unexpected argument 'x'" in refused("new-block", "--", "name", "x")


def test_a_mistyped_command_is_one_line_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chek"]) == 2
    said = capsys.readouterr().err
    assert (
        said == "supervisor: there is no command chek. Did you mean check? All commands: supervisor --help\n"
    )


def test_the_version_is_told_and_nothing_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("neops-supervisor ")


@pytest.mark.parametrize("words", [[], [""]])
@pytest.mark.parametrize("command", ["job", "logs", "stack", "cancel"])
def test_what_is_given_by_its_place_is_asked_for_by_its_name_there(
    command: str, words: list[str], refused: Refused
) -> None:
    said = refused(command, *words)
    assert "JOB-ID" in said
    assert "--job-id" not in said
    assert "NEOPS_JOB_ID" not in said


def test_help_and_version_are_understood_as_words_too(capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        try:
            code: object = main(list(words))
        except SystemExit as end:
            code = end.code
        assert not code
        return capsys.readouterr().out

    assert said("version") == said("--version")
    assert supervisor("help").stdout == supervisor("--help").stdout != ""
    assert said("help", "job") == said("job", "--help")
