"""What `--help` shows of a flag is for people, and not Python."""

import re

import pytest

from supervisor.commands.shared.common import read_settings
from supervisor.commands.submit.command import SubmitSettings
from supervisor.settings.run_settings import DaemonSettings


@pytest.mark.parametrize("model", [DaemonSettings, SubmitSettings])
def test_the_help_has_no_types_and_no_literals_of_python(
    model: type[DaemonSettings | SubmitSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_settings(model, ["--help"], "program")
    text = capsys.readouterr().out
    assert not re.findall(
        r"list\[.*|\['.*|\bPath\b|\bfloat\b|\bint\b|\bstr\b|default: None|default: \)", text
    )
    assert model is SubmitSettings or "(default: entry-points)" in text
