"""`supervisor backup` by root of another user's state: complete, root's own, and no way for him to what is root's."""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands_support import open_to_look_through
from test_backup import jobs, options, submit, worked

from sdk.devengine import EngineOptions
from sdk.testing.engine import EngineThread
from supervisor.commands import backup
from supervisor.commands.local.announcement import Announcement
from supervisor.commands.local.live_backup import copy_from_running
from supervisor.commands.local.others_state import opened_folder
from supervisor.errors import StateDirectoryError
from tests.capabilities import NOBODY
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.needs("other users")

THEIRS = NOBODY - 1
MODES = {"copy": 0o700, "engine.sqlite3": 0o600, "worker": 0o700, backup.HOST_KEYS: 0o600}

LOCAL = """
import asyncio, os, sys, tempfile
from pathlib import Path
from sdk.devengine import DevEngine, EngineOptions
from supervisor.commands.local.announcement import Announcement, announced
from supervisor.engine.http import EngineAccess
from supervisor.engine.submission import Submissions
from supervisor.journal.directory import take_directory

def options(directory):
    return EngineOptions(database=directory / "engine.sqlite3", token_file=directory / "engine.token")

async def rehearse(directory):
    async with DevEngine(options(directory)) as engine:
        asked = Submissions(EngineAccess(engine.url, token_file=engine.token_file))
        await asked.back_up("0" * 16)
        await asked.close()

async def serve(state):
    async with DevEngine(options(state)) as engine:
        mine = Announcement(url=engine.url, pid=os.getpid(), command="local", started_at=1.0,
                            worker_log=state / "worker.log", token_file=state / "engine.token")
        with announced(state / "running", mine):
            print("ready", flush=True)
            await asyncio.Event().wait()

# All is imported before: an interpreter in root's home can't be read by another user.
with tempfile.TemporaryDirectory() as directory:
    asyncio.run(rehearse(Path(directory)))
state, user = Path(sys.argv[1]), int(sys.argv[2])
os.setgroups([]); os.setgid(user); os.setuid(user); os.umask(0o077)
lock = take_directory(state)
asyncio.run(serve(state))
"""


def given_away(state: Path) -> Path:
    for path in (state, *state.rglob("*")):
        os.chown(path, THEIRS, THEIRS, follow_symlinks=False)
    return state


def of_root_in(state: Path) -> list[str]:
    return [path.name for path in (state, *state.rglob("*")) if path.lstat().st_uid == 0]


def modes_of(copy: Path) -> dict[str, int]:
    assert {path.stat().st_uid for path in (copy, *copy.rglob("*"))} == {0}
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (copy, *copy.rglob("*"))}


@contextlib.contextmanager
def local_of_them(state: Path) -> Iterator[None]:
    """An engine with this state that their user runs, announces and holds the directory of, as `local` does."""
    open_to_look_through(state)
    state.parent.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-c", LOCAL, str(state), str(THEIRS)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


def test_of_a_state_that_nobody_uses_all_is_in_it_also_what_a_killed_engine_had_in_its_log(
    tmp_path: Path,
) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    with EngineThread(options(tmp_path / "live")) as engine:
        ids = [submit(engine, number) for number in range(20)]
        shutil.copytree(tmp_path / "live", state)  # what a kill leaves in this moment
    assert (state / "engine.sqlite3-wal").stat().st_size
    (state / "worker").mkdir()
    (state / "worker" / backup.HOST_KEYS).write_text("switch ssh-ed25519 AAAA\n")
    given_away(state)
    before = sorted(path.name for path in state.rglob("*"))
    assert backup.run([str(copy), "--state-dir", str(state)]) == 0
    assert modes_of(copy) == MODES
    assert sorted(path.name for path in state.rglob("*")) == before
    assert not of_root_in(state)
    assert (copy / "worker" / backup.HOST_KEYS).read_text() == "switch ssh-ed25519 AAAA\n"
    with EngineThread(EngineOptions(database=copy / "engine.sqlite3")) as restored:
        assert sorted(jobs(restored)) == sorted(ids)


def test_a_local_of_another_user_that_runs_is_backed_up_and_nothing_of_root_s_is_left_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    state, copy = tmp_path / "state", tmp_path / "copy"
    before = worked(state)
    given_away(state)
    with local_of_them(state):
        assert backup.run([str(copy), "--state-dir", str(state)]) == 0
        assert not of_root_in(state)
    assert not list(state.glob("backup-*"))
    assert modes_of(copy) == MODES
    with EngineThread(EngineOptions(database=copy / "engine.sqlite3")) as restored:
        assert jobs(restored).keys() == before.keys()


def database_is_a_link(state: Path, secret: Path) -> None:
    (state / "engine.sqlite3").unlink()
    (state / "engine.sqlite3").symlink_to(secret / "engine.sqlite3")


def log_is_a_link(state: Path, secret: Path) -> None:
    (state / "engine.sqlite3-wal").symlink_to(secret / "engine.sqlite3")


def log_is_another_name_of_a_file_of_root_s(state: Path, secret: Path) -> None:
    os.link(secret / "engine.sqlite3", state / "engine.sqlite3-wal")


def host_keys_are_a_link(state: Path, secret: Path) -> None:
    (state / "worker" / backup.HOST_KEYS).unlink()
    (state / "worker" / backup.HOST_KEYS).symlink_to(secret / "engine.sqlite3")


def worker_is_a_link(state: Path, secret: Path) -> None:
    shutil.rmtree(state / "worker")
    (secret / backup.HOST_KEYS).write_text("of root")
    (state / "worker").symlink_to(secret)


@pytest.mark.parametrize(
    "trick",
    [
        database_is_a_link,
        log_is_a_link,
        log_is_another_name_of_a_file_of_root_s,
        host_keys_are_a_link,
        worker_is_a_link,
    ],
)
def test_what_the_owner_has_linked_to_there_is_not_read_for_him(
    trick: Callable[[Path, Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, secret = tmp_path / "state", tmp_path / "secret"
    worked(secret)
    shutil.rmtree(secret / "worker")
    worked(state)
    given_away(state)
    trick(state, secret)
    before = {path: path.read_bytes() for path in secret.iterdir()}
    for path in state.rglob("*"):
        if path.is_symlink():
            os.chown(path, THEIRS, THEIRS, follow_symlinks=False)
    assert backup.run([str(tmp_path / "copy"), "--state-dir", str(state)]) == 1
    assert "is a link, no ordinary file, or somebody else's. It is not read." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret", "state"]
    assert {path: path.read_bytes() for path in secret.iterdir()} == before


def test_a_token_that_the_owner_has_linked_to_is_sent_to_nobody(tmp_path: Path) -> None:
    state, secret = tmp_path / "state", tmp_path / "secret"
    state.mkdir()
    secret.touch(0o600)
    secret.write_text("of-root")
    (state / "engine.token").symlink_to(secret)
    given_away(state)
    theirs = Announcement(
        url="http://127.0.0.1:9", pid=os.getpid(), command="local", started_at=1.0,
        worker_log=state / "worker.log", token_file=state / "engine.token",
    )  # fmt: skip
    with opened_folder(state) as folder, pytest.raises(StateDirectoryError, match=r"engine\.token is a link"):
        copy_from_running(theirs, folder, tmp_path / "copy")


def test_nothing_is_made_below_a_directory_whose_owner_could_put_a_link_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    worked(state)
    (state / "below").mkdir()
    given_away(state)
    (tmp_path / "link").symlink_to(state / "below")
    for parent in (state, state / "below", tmp_path / "link"):
        assert backup.run([str(parent / "copy"), "--state-dir", str(state)]) == 2
        assert "Name a directory elsewhere." in capsys.readouterr().err
    assert not of_root_in(state)


def test_a_database_that_another_program_has_open_is_not_copied_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    worked(state)
    given_away(state)
    code = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1])\n"
        "other.execute('SELECT count(*) FROM sqlite_master').fetchone()\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(state / "engine.sqlite3")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        assert backup.run([str(tmp_path / "copy"), "--state-dir", str(state)]) == 1
        other.communicate(timeout=PATIENCE_SECONDS)
    assert "database is locked: another program has it open." in capsys.readouterr().err
    assert backup.run([str(tmp_path / "copy"), "--state-dir", str(state)]) == 0


def test_a_journal_of_the_owner_s_making_is_not_carried_out_as_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    worked(state)
    (state / "engine.sqlite3-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    given_away(state)
    before = (state / "engine.sqlite3").read_bytes()
    assert backup.run([str(tmp_path / "copy"), "--state-dir", str(state)]) == 1
    assert "its engine was killed while it made the database" in capsys.readouterr().err
    assert (state / "engine.sqlite3").read_bytes() == before
    assert (state / "engine.sqlite3-journal").exists()
