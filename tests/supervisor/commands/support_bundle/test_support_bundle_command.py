"""`supervisor support-bundle`: what it exits with, and which job it is about."""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from supervisor.commands.support_bundle import command, contents
from supervisor.commands.support_bundle.collection import Part
from supervisor.commands.support_bundle.job_meant import Worker
from supervisor.errors import SupervisorError
from supervisor.journal import Claim, Ledger
from supervisor.journal.ended_jobs.ended_job import EndedJob
from supervisor.journal.ended_jobs.files import EndedJobFiles
from supervisor.worker.control_socket.client import ControlClient, NoWorkerError
from supervisor.worker.control_socket.exit_codes import DONE, UNKNOWN_JOB, USAGE
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
        return {"job": {"job_id": "known", "state": "running"}}


class Starting(ControlClient):
    """Asks a worker of an earlier version that is on its way up."""

    def ask(self, command: str, *, timeout_seconds: float | None = None, **arguments: Any) -> dict[str, Any]:
        if command != "status":
            raise ControlError("starting", "The worker is on its way up.")
        return {"ready": False, "why_not": [], "warnings": [], "version": "0", "pid": os.getpid()}

    def stream(
        self, command: str, *, timeout_seconds: float | None = None, **arguments: Any
    ) -> Iterator[dict[str, Any]]:
        raise ControlError("starting", "The worker is on its way up.")


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
    found = Worker(cast("ControlClient", Client(tmp_path, error)), None, tmp_path)
    monkeypatch.setattr(command, "_worker_of", lambda _: found)
    monkeypatch.setattr(command, "parts_for", lambda *_: [])
    path = tmp_path / "bundle.tar.gz"
    assert command.run([job, "--output", str(path)]) == code
    assert path.is_file()
    stderr = capsys.readouterr().err
    assert ("know the job nope" in stderr) == (code == UNKNOWN_JOB)


WHOLE = "57791108-aaaa"
"""A job whose end is kept in files. No worker runs in these tests."""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Of the parts, those of the job: the others look at the machine.
    monkeypatch.setattr(contents, "doctor_part", lambda _: Part("doctor.json", dict))
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "state" / "ended_jobs"
    directory.mkdir(parents=True)
    files = EndedJobFiles(directory, 100)
    for job_id in (WHOLE, "57791108-bbbb", "1234567-cccc"):
        files.write(EndedJob(job_id, "acme/x:1.0.0", "failed", "crashed", f"of {job_id}", 1.0), b"", b"")
    return tmp_path / "state"


def made(state: Path, given: str) -> tuple[int, list[str]]:
    path = state.parent / "bundle.tar.gz"
    path.unlink(missing_ok=True)
    code = command.run([given, "--output", str(path), "--state-dir", str(state)])
    if not path.exists():
        return code, []
    with tarfile.open(path) as tar:
        return code, [name.removeprefix("bundle/") for name in tar.getnames()]


def test_the_beginning_of_an_id_finds_the_job_in_the_files_too(state: Path) -> None:
    code, names = made(state, "57791108-a")
    assert code == DONE
    assert {"job/ended.json", "job/ended-log.jsonl"} <= set(names)


def test_an_id_that_no_file_has_is_an_unknown_job_and_one_of_several_is_refused(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, names = made(state, "nobody-knows-this")
    assert (code, "status.json" in names or "versions.json" in names) == (UNKNOWN_JOB, True)
    assert "Neither a worker nor its files know the job nobody-knows-this" in capsys.readouterr().err
    assert made(state, "57791108") == (USAGE, [])
    assert "2 jobs have an id that begins with 57791108" in capsys.readouterr().err


def test_a_bundle_is_made_of_a_worker_that_does_not_say_its_state_directory_while_it_starts(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "client_of", lambda _: Starting(state))
    code, names = made(state, "57791108-a")
    assert code == DONE
    assert {"status.json", "job/ended.json"} <= set(names)


async def test_a_job_that_was_running_when_its_worker_was_killed_is_known_by_its_claim(state: Path) -> None:
    ledger = await Ledger.open(state)
    await ledger.claim([Claim("running-then", "lab/echo:1.0.0", "w", 1.0, "d")])
    await ledger.close()
    assert made(state, "running")[0] == DONE
