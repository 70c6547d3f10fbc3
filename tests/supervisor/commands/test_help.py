"""What `--help` shows of a flag is for people, and not Python."""

import importlib
import re

import pytest
from pydantic_settings import BaseSettings

from supervisor.cli import COMMANDS, module_of
from supervisor.commands.dev import DevSettings
from supervisor.commands.journal.command import JournalSettings
from supervisor.commands.local.command import LocalSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.submit.command import SubmitSettings
from supervisor.settings.run_settings import DaemonSettings, RunSettings


@pytest.mark.parametrize(
    "model", [DaemonSettings, SubmitSettings, LocalSettings, DevSettings, JournalSettings]
)
def test_the_help_has_no_types_and_no_literals_of_python(
    model: type[BaseSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_settings(model, ["--help"], "program")
    text = capsys.readouterr().out
    assert not re.findall(
        r"list\[.*|\['.*|\bPath\b|\bfloat\b|\bint\b|\bstr\b|default: None|default: \)|default factory|False",
        text,
    )
    assert not issubclass(model, RunSettings) or "(default: entry-points)" in text
    for flag in re.split(r"\n  (?=--)", text):
        assert not ("Default: " in flag and "(default: " in flag), flag
    assert "\n    \n" not in text


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize("command", ["daemon", *COMMANDS])
def test_the_help_is_folded_where_the_terminal_ends_and_no_example_is(
    command: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        importlib.import_module(module_of(command)).run(["--help"])
    _, _, text = capsys.readouterr().out.partition("\n\n")  # the usage cuts no flag in two
    too_long = [line for line in text.splitlines() if len(line) > columns]
    assert [line for line in too_long if not line.startswith(("Example: ", "  --"))] == []


def test_what_a_command_is_for_goes_on_below_its_beginning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    with pytest.raises(SystemExit):
        importlib.import_module(module_of("daemon")).run(["--help"])
    lines = capsys.readouterr().out.splitlines()
    number = next(number for number, line in enumerate(lines) if line.startswith("  supervisor journal"))
    column = lines[number].index("list results")
    assert lines[number + 1].startswith(" " * column)
    assert not lines[number + 1].startswith(" " * (column + 1))
