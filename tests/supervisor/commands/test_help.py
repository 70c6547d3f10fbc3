"""What `--help` shows of a flag is for people, and not Python."""

import re

import pytest
from pydantic_settings import BaseSettings

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
