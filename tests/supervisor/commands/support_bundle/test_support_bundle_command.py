"""`supervisor support-bundle`: what it exits with."""

from pathlib import Path
from typing import Any

import pytest

from supervisor.commands.support_bundle import command
from supervisor.errors import SupervisorError
from supervisor.worker.control_socket.client import NoWorkerError
from supervisor.worker.control_socket.exit_codes import DONE, UNKNOWN_JOB
from supervisor.worker.control_socket.protocol import ControlError


class Client:
    """Asks a worker that knows the job `known`."""

    def __init__(self, directory: Path, error: SupervisorError | None) -> None:
        self.directory = directory
        self._error = error

    def ask(self, name: str, *, timeout_seconds: float, job_id: str) -> dict[str, Any]:
        assert (name, timeout_seconds > 0) == ("job", True)
        if job_id != "known":
            assert self._error is not None
            raise self._error
        return {}


@pytest.mark.parametrize(
    ("job", "error", "code"),
    [
        ("nope", ControlError("unknown_job", "This worker knows no job nope."), UNKNOWN_JOB),
        ("nope", ControlError("disk_failing", "The disk does not answer."), DONE),
        ("nope", NoWorkerError("It has ended meanwhile."), DONE),
        ("known", None, DONE),
    ],
)
def test_a_job_that_the_worker_does_not_know_is_said_and_has_its_exit_code_and_the_archive_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    job: str,
    error: SupervisorError | None,
    code: int,
) -> None:
    found = (Client(tmp_path, error), None, tmp_path, "")
    monkeypatch.setattr(command, "_worker_of", lambda _: found)
    monkeypatch.setattr(command, "parts_for", lambda *_: [])
    path = tmp_path / "bundle.tar.gz"
    assert command.run([job, "--output", str(path)]) == code
    assert path.is_file()
    stderr = capsys.readouterr().err
    assert ("does not know the job nope" in stderr) == (code == UNKNOWN_JOB)
