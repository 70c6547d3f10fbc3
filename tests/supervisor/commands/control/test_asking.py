"""Which worker a command asks, and what it says where it may not, or where that worker does not answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.commands import pause
from supervisor.settings.command_line import parse
from supervisor.worker.control_socket.exit_codes import NOT_ALLOWED, USAGE
from tests.capabilities import NOBODY
from tests.patience import PATIENCE_SECONDS


@pytest.mark.needs("mounts of root", "other users")
def test_who_may_not_look_into_a_state_directory_may_not_ask_and_is_given_no_choice_of_workers(
    tmp_path: Path,
) -> None:
    for place in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(place, 0o755)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    become = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
    code = f"import os, sys; from supervisor.commands import status; {become}; sys.exit(status.run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "--state-dir", str(state)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == NOT_ALLOWED, done.stderr
    assert f"You may not ask the worker in {state}/run." in done.stderr


@pytest.mark.parametrize("arguments", [["--for", ""], ["--for="]])
def test_a_pause_for_an_empty_time_is_refused_and_not_one_without_an_end(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        pause.run(arguments)
    assert ended.value.code == USAGE
    assert "--for needs a value, and is empty" in capsys.readouterr().err


def test_an_empty_note_is_none() -> None:
    assert parse(pause.PauseSettings, ["--note", ""], "program").note == ""


def test_a_time_in_other_digits_than_ascii_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        pause.run(["--for", "\N{ARABIC-INDIC DIGIT THREE}m"])
    assert ended.value.code == USAGE
    assert "must be a time such as" in capsys.readouterr().err
