"""A user without a home directory: one sentence that says what to set, and no traceback."""

import pwd
from pathlib import Path
from typing import NoReturn

import pytest

from supervisor.cli import main


@pytest.fixture(autouse=True)
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container that runs as a number which no file knows."""

    def getpwuid(number: int) -> NoReturn:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    for name in ("HOME", "XDG_STATE_HOME", "STATE_DIRECTORY", "NEOPS_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("command", "code"), [(["status"], 2), (["journal", "list"], 1), (["submit", "greet"], 2)]
)
def test_a_command_says_what_to_set_where_there_is_no_home(
    command: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == code
    said = capsys.readouterr().err
    assert said.startswith(f"supervisor {command[0]}: User ")
    assert "Set HOME or XDG_STATE_HOME, or give --state-dir to" in said


def test_a_command_that_is_told_the_place_needs_no_home(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["status", "--state-dir", str(tmp_path)]) == 3
    assert "home directory" not in capsys.readouterr().err


def test_a_job_for_an_engine_that_a_flag_names_needs_no_home(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):  # the command sets them
        monkeypatch.setenv(name, "")
    assert main(["submit", "greet", "--engine-url", "http://127.0.0.1:1"]) == 2
    assert "can't connect to 127.0.0.1:1" in capsys.readouterr().err
