"""`deploy/unprivileged.sh`, started by root, with a set-up that only says what it is given."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.deploy_support import DEPLOY
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.needs("other users")

PYTHON = "#!/bin/sh\necho /usr/bin/python3\n"
ENDLESS = f"#!/bin/sh\ntrap '' TERM INT HUP\necho $$\nsleep {PATIENCE_SECONDS}\necho ended\n"
TALKATIVE = "#!/bin/sh\nread -r line\necho \"read $line\"\nkill -INT $$\necho 'the signal is ignored'\n"


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that other users can get to: pytest's own they can't."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "t").mkdir()
        yield place


def started(place: Path, set_up: str) -> "subprocess.Popen[str]":
    deploy = place / "checkout" / "deploy"
    deploy.mkdir(parents=True)
    (deploy / "unprivileged.sh").write_text((DEPLOY / "unprivileged.sh").read_text())
    (deploy / "bootstrap.sh").write_text(set_up)
    python = place / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    command = ["sh", str(deploy / "unprivileged.sh"), str(python), "stable", "tests/kill"]
    pipe = subprocess.PIPE
    variables = os.environ | {"TMPDIR": str(place / "t")}
    return subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_what_runs_at_once_and_leaves_nothing(place: Path, number: signal.Signals) -> None:
    with started(place, ENDLESS) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(number)
        output, errors = process.communicate()
    assert (process.returncode, output) == (128 + number, ""), errors
    assert "still there" not in errors
    assert not Path(f"/proc/{pid}").exists()
    assert list((place / "t").iterdir()) == []


def test_what_runs_is_given_the_input_and_does_not_ignore_the_signals_of_a_terminal(place: Path) -> None:
    with started(place, TALKATIVE) as process:
        output, errors = process.communicate("something\n")
    assert output == "read something\n", errors
    assert list((place / "t").iterdir()) == []
