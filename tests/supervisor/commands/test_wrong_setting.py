"""A setting that can't be used is named by the way in which it was set."""

from pathlib import Path

import pytest

from supervisor.commands.shared.common import read_settings
from supervisor.settings.run_settings import RunSettings


@pytest.mark.parametrize(
    ("variables", "arguments", "named"),
    [
        (
            {"BLOCKING_DETECTION_THRESHOLD": "abc"},
            [],
            "BLOCKING_DETECTION_THRESHOLD (here --blocking-seconds or ",
        ),
        ({"NEOPS_BLOCKING_SECONDS": "abc"}, [], "--blocking-seconds (or NEOPS_BLOCKING_SECONDS): "),
        (
            {"NEOPS_BLOCKING_SECONDS": "abc", "BLOCKING_DETECTION_THRESHOLD": "1"},
            [],
            "--blocking-seconds (or NEOPS_BLOCKING_SECONDS): ",
        ),
        (
            {"BLOCKING_DETECTION_THRESHOLD": "1"},
            ["--blocking-seconds=abc"],
            "--blocking-seconds (or NEOPS_BLOCKING_SECONDS): ",
        ),
    ],
)
def test_the_variable_that_was_set_is_the_one_that_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    arguments: list[str],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read_settings(RunSettings, arguments, "program")
    assert capsys.readouterr().err.startswith(f"program: {named}")


def test_an_old_name_in_the_file_of_variables_is_named_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("BLOCKING_DETECTION_THRESHOLD=abc\n")
    with pytest.raises(SystemExit):
        read_settings(RunSettings, [], "program")
    assert capsys.readouterr().err.startswith("program: BLOCKING_DETECTION_THRESHOLD (here ")
