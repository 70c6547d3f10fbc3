"""`supervisor lab`: devices for people, until they end them."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from supervisor.commands.lab.command import run
from supervisor.commands.lab.holder import place_of
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.programs.lab import leftovers


class Lab:
    """The command, run in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        self._capsys.readouterr()
        returned = run(list(arguments))
        told = self._capsys.readouterr()
        assert returned == code, told.err
        return told.out if code == 0 else told.err

    def as_json(self, *arguments: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self(*arguments, "--json"))
        return told


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Lab]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    command = Lab(capsys)
    yield command
    command("down")


def test_a_lab_of_emulated_devices_runs_until_it_is_ended_and_its_passwords_are_its_owner_s_alone(
    lab: Lab,
) -> None:
    shown = lab("up", "iol")
    (running,) = lab.as_json("status")["running"]
    context = json.loads(Path(running["context"]).read_text())
    passwords = [device["password"] for device in context["devices"]]
    assert [line.split()[2] for line in Path(running["passwords"]).read_text().splitlines()] == passwords
    assert not any(password in shown + lab("status") for password in passwords)
    assert running["passwords"] in shown
    for name in ("context", "passwords"):
        assert Path(running[name]).stat().st_mode & 0o777 == 0o600
    device = context["devices"][0]
    assert json.loads(device["connectionOptions"])["port"] == running["devices"][0]["port"]
    assert "runs already" in lab("up", "iol")
    assert passwords[0] in lab("up", "iol", "--show-passwords")
    traces = leftovers.traces_of(running["holder_pid"])
    assert "Ended: iol." in lab("down")
    wait_until(lambda: not traces.left(), lambda: str(traces.left()))
    assert not Path(running["context"]).exists()
    assert "The lab iol does not run." in lab("down", "iol")


@pytest.mark.needs("frr lab")
def test_a_lab_of_routers_whose_holder_was_killed_leaves_nothing_and_can_be_started_again(lab: Lab) -> None:
    started = lab.as_json("up", "frr")
    assert [device["hostname"] for device in started["devices"]] == ["r1", "r2", "r3"]
    traces = leftovers.traces_of(started["holder_pid"])
    os.kill(started["holder_pid"], signal.SIGKILL)
    wait_until(lambda: not traces.left(), lambda: str(traces.left()))
    assert lab.as_json("status") == {"running": []}
    assert "The lab frr does not run." in lab("down", "frr")


@pytest.mark.needs("frr lab")
def test_a_lab_of_which_a_router_has_died_is_not_there_any_more_and_can_be_started_again(lab: Lab) -> None:
    started = lab.as_json("up", "frr")
    traces = leftovers.traces_of(started["holder_pid"])
    servers = [each for each in map(psutil.Process, traces.pids) if each.name() == "sshd"]
    servers[0].kill()
    place = place_of("frr")
    wait_until(lambda: place.holder_pid() is None, lambda: str(traces.left()), PATIENCE_SECONDS)
    wait_until(lambda: not traces.left(), lambda: str(traces.left()), PATIENCE_SECONDS)
    assert lab.as_json("status") == {"running": []}
    assert list(place.directory.iterdir()) == []
    assert lab.as_json("up", "frr")["holder_pid"] != started["holder_pid"]


def test_a_lab_that_can_t_be_started_says_why_and_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab: Lab
) -> None:
    # Neither asyncssh nor anything else that is installed: only our own code and the standard library.
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "first"))
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "asyncssh.py").write_text("raise ImportError('not here')\n")
    told = lab("up", "iol", code=1)
    assert told.startswith(
        "supervisor lab: The lab iol could not be started. The emulated devices need the library"
    )
    assert [path.name for path in (tmp_path / "neops-local" / "labs" / "iol").iterdir()] == []
