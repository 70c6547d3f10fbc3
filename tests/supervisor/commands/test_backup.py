"""`supervisor backup`: the copy is a state that can be started with, with all jobs and results."""

import contextlib
import json
import os
import shutil
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands_support import open_to_look_through, supervisor_as_nobody

from sdk.devengine import EngineOptions
from sdk.testing.engine import EngineThread
from supervisor.commands import backup
from supervisor.commands.local.announcement import Announcement, announced
from supervisor.commands.local.places import announcements_directory
from supervisor.journal.directory import take_directory
from tests.patience import PATIENCE_SECONDS

BLOCK = "acme/echo:1.0.0"


def options(directory: Path) -> EngineOptions:
    directory.mkdir(exist_ok=True)
    return EngineOptions(database=directory / "engine.sqlite3")


def submit(engine: EngineThread, number: int) -> str:
    return engine.call(
        lambda running: running.submit(block=BLOCK, parameters={"n": number}, allow_unregistered=True)
    )


def jobs(engine: EngineThread) -> dict[str, Any]:
    return engine.call(lambda running: {job.job_id: job for job in running.jobs()})


def worked(state: Path) -> dict[str, Any]:
    """Leave a state with twenty jobs, one of them done, and the host key of a device."""
    with EngineThread(options(state)) as engine:
        ids = [submit(engine, number) for number in range(20)]
        result = {"success": True, "message": "done", "data": {"n": 0}}
        worker = ask(engine, "/workers/register", {"version": "1"})["uuid"]
        block = {"name": "echo", "package": "acme", "majorVersion": 1, "minorVersion": 0, "patchVersion": 0}
        ask(engine, "/blackboard/job", {"functionBlockIds": [block], "workerId": worker, "limit": 1})
        ask(
            engine,
            "/blackboard/job/result",
            {"jobExecutionId": ids[0], "status": "success", "result": result},
        )
        kept = jobs(engine)
    (state / "worker").mkdir()
    (state / "worker" / backup.HOST_KEYS).write_text("switch ssh-ed25519 AAAA\n")
    return kept


def ask(engine: EngineThread, path: str, body: dict[str, Any]) -> Any:
    token = engine.token_file.read_text().strip() if engine.token_file else ""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(engine.url + path, json.dumps(body).encode(), headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        request, timeout=PATIENCE_SECONDS
    ) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def test_what_was_backed_up_is_there_when_the_state_is_lost_and_restored(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    before = worked(state)
    assert backup.run([str(copy), "--state-dir", str(state)]) == 0
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    with EngineThread(options(state)) as restored:
        after = jobs(restored)
    assert after.keys() == before.keys()
    assert [job.result for job in after.values()] == [job.result for job in before.values()]
    assert sum(job.result is not None for job in after.values()) == 1
    assert (state / "worker" / backup.HOST_KEYS).read_text() == "switch ssh-ed25519 AAAA\n"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    worked(state)
    before = os.umask(0)
    try:
        assert backup.run([str(copy), "--state-dir", str(state)]) == 0
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (copy, *copy.rglob("*"))}
    assert modes == {"copy": 0o700, "engine.sqlite3": 0o600, "worker": 0o700, backup.HOST_KEYS: 0o600}


@contextlib.contextmanager
def local_runs(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineThread]:
    """An engine with this state that is announced, and whose directory is held, as `local` does."""
    monkeypatch.setenv("XDG_STATE_HOME", str(state.parent / "elsewhere"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    given = EngineOptions(database=state / "engine.sqlite3", token_file=state / "engine.token")
    with contextlib.closing(take_directory(state)), EngineThread(given) as engine:
        mine = Announcement(
            url=engine.url, pid=os.getpid(), command="local", started_at=1.0,
            worker_log=state / "worker.log", token_file=state / "engine.token",
        )  # fmt: skip
        with announced(announcements_directory(), mine):
            yield engine


def test_a_local_that_runs_is_backed_up_as_it_is_at_that_moment_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    before = worked(state)
    with local_runs(state, monkeypatch) as engine:
        another = submit(engine, 20)
        assert backup.run([str(copy), "--state-dir", str(state)]) == 0
        too_late = submit(engine, 21)
        assert too_late in jobs(engine)
    assert not [path for path in state.iterdir() if path.name.startswith("backup-")]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (copy, *copy.rglob("*"))}
    assert modes == {"copy": 0o700, "engine.sqlite3": 0o600, "worker": 0o700, backup.HOST_KEYS: 0o600}
    with EngineThread(EngineOptions(database=copy / "engine.sqlite3")) as restored:
        assert jobs(restored).keys() == {*before, another}


def test_where_the_engine_that_runs_can_not_write_the_copy_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    worked(state)
    with local_runs(state, monkeypatch):
        monkeypatch.setattr("secrets.token_hex", lambda _: "0123456789abcdef")
        (state / "backup-0123456789abcdef.sqlite3").mkdir()
        assert backup.run([str(copy), "--state-dir", str(state)]) == 1
    assert "No backup was made" in capsys.readouterr().err
    assert not copy.exists()


def test_a_local_whose_engine_is_not_announced_is_left_alone_and_the_message_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    worked(tmp_path / "state")
    with contextlib.closing(take_directory(tmp_path / "state")):  # as `local` does
        assert backup.run([str(tmp_path / "copy"), "--state-dir", str(tmp_path / "state")]) == 1
    assert "Try again, or stop it for the backup." in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_an_engine_alone_that_has_the_database_is_not_waited_for_without_an_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_BUSY_SECONDS", 0.1)
    with EngineThread(options(tmp_path / "state")):
        assert backup.run([str(tmp_path / "copy"), "--state-dir", str(tmp_path / "state")]) == 1
    assert "No backup was made: database is locked" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_what_is_there_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worked(tmp_path / "state")
    (tmp_path / "copy").mkdir()
    assert backup.run([str(tmp_path / "copy"), "--state-dir", str(tmp_path / "state")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert list((tmp_path / "copy").iterdir()) == []


def test_where_there_is_no_engine_s_state_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backup.run([str(tmp_path / "copy"), "--state-dir", str(tmp_path)]) == 2
    assert "There is no" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_makes_no_backup_and_leaves_nothing_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "engine.sqlite3").write_bytes(b"no database" * 1000)
    assert backup.run([str(tmp_path / "copy"), "--state-dir", str(tmp_path)]) == 1
    assert "No backup was made" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {"engine.sqlite3", "lock"}


@pytest.mark.parametrize("path", ["nope/copy", "a-file/copy"])
def test_a_backup_below_a_directory_that_is_not_there_names_that_and_no_name_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "engine.sqlite3").touch()
    target = tmp_path / path
    assert backup.run([str(target), "--state-dir", str(tmp_path / "state")]) == 2
    said = capsys.readouterr().err
    assert f"There is no directory {target.parent}. Make it, or name another." in said
    assert f".copy.{os.getpid()}" not in said


def test_a_backup_that_can_t_be_made_is_named_as_it_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    worked(tmp_path / "state")

    make = Path.mkdir

    def refuse(path: Path, mode: int = 0o777, **how: bool) -> None:
        if ".copy." in path.name:
            raise PermissionError(13, "Permission denied", str(path))
        make(path, mode, **how)

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert backup.run([str(tmp_path / "copy"), "--state-dir", str(tmp_path / "state")]) == 1
    assert f"Permission denied: '{tmp_path / 'copy'}'." in capsys.readouterr().err


def test_nothing_is_left_of_a_backup_that_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked(tmp_path / "state")

    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup, "_check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backup.run([str(tmp_path / "copy"), "--state-dir", str(tmp_path / "state")])
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


@pytest.mark.needs("other users")
def test_somebody_else_is_told_whose_the_state_is(tmp_path: Path) -> None:
    worked(tmp_path / "state")
    open_to_look_through(tmp_path)
    tmp_path.chmod(0o755)
    for mode in (0o700, 0o755):
        (tmp_path / "state").chmod(mode)
        done = supervisor_as_nobody("backup", "/tmp/no-such-copy", "--state-dir", str(tmp_path / "state"))
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert "may not use the database" in done.stderr
        assert "It belongs to user root. Run this as its owner, or as root." in done.stderr
