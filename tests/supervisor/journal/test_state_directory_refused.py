"""A state directory that this worker must not use: one clear message, exit code 1, and nothing left behind.

Through the real command, which gets so far without an engine.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from journal_support import FILE, ROOT, raw, writer

from supervisor.journal import Ledger
from supervisor.log.events.worker import StartRefused
from tests.capabilities import NOBODY, mounting
from tests.patience import PATIENCE_SECONDS

AMONG_OTHERS = pytest.mark.needs("other users")


def start(
    directory: Path, *, prefix: tuple[str, ...] = (), as_nobody: bool = False, exit_code: int = 1
) -> str:
    """Start the worker, check that it refuses in one event, and return its reason."""
    arguments = ["--engine-url", "http://127.0.0.1:9", "--state-dir", str(directory), "--log-format", "json"]
    become = f"import os; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})" if as_nobody else ""
    # All is imported before: an interpreter in root's home can't be read by nobody.
    code = (
        f"import sys, supervisor.commands.daemon\n{become}\nfrom supervisor.cli import main\nsys.exit(main())"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEOPS_")}
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code, *arguments],
        cwd="/",
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr
    (line,) = done.stderr.splitlines()
    event = json.loads(line)
    assert (event["event"], event["level"]) == (StartRefused.name, "CRITICAL")
    reason = str(event["reason"])
    assert str(directory) in reason
    assert "--state-dir" in reason
    return reason


def open_to_all(directory: Path) -> None:
    """Let others come as far as `directory`: pytest's own directories are for their owner alone."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for parent in directory.parents:
        if temporary in parent.parents:
            parent.chmod(0o755)


def test_a_read_only_directory(tmp_path: Path) -> None:
    prefix = mounting(f"mount -t tmpfs -o ro tmpfs '{tmp_path}'")
    assert "Read-only file system" in start(tmp_path, prefix=prefix)
    assert "Read-only file system" in start(tmp_path / "new", prefix=prefix)


@AMONG_OTHERS
def test_root_in_a_directory_of_a_user(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    message = start(tmp_path)
    assert "belongs to user nobody, and this worker runs as user root" in message
    assert "Run it as user nobody" in message
    assert list(tmp_path.iterdir()) == []


@AMONG_OTHERS
async def test_a_journal_of_another_user_in_a_directory_of_ours(tmp_path: Path) -> None:
    await (await Ledger.open(tmp_path)).close()
    os.chown(tmp_path / FILE, NOBODY, NOBODY)
    assert f"{tmp_path / FILE} belongs to user nobody" in start(tmp_path)


@AMONG_OTHERS
def test_a_directory_of_root_for_a_user(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    open_to_all(directory)
    directory.mkdir(mode=0o700)
    assert "belongs to user root, and this worker runs as user nobody" in start(directory, as_nobody=True)


@AMONG_OTHERS
def test_a_directory_that_a_user_may_not_make(tmp_path: Path) -> None:
    open_to_all(tmp_path / "state")
    assert "Permission denied" in start(tmp_path / "state", as_nobody=True)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_another_supervisor_uses(tmp_path: Path) -> None:
    with writer(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert "in use by another supervisor" in start(tmp_path)
        process.kill()


async def test_a_journal_of_a_newer_version_ends_with_what_systemd_does_not_try_again(tmp_path: Path) -> None:
    await (await Ledger.open(tmp_path)).close()
    raw(tmp_path, "PRAGMA user_version = 99")
    assert "newer version of this worker (schema 99" in start(tmp_path, exit_code=2)
    assert raw(tmp_path, "PRAGMA user_version") == [(99,)]
    assert "RestartPreventExitStatus=2" in (ROOT / "deploy/neops-supervisor.service").read_text()


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("something")
    assert "it is a file" in start(place)
    assert place.read_text() == "something"


def test_a_file_on_the_way_to_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("something")
    assert "Not a directory" in start(tmp_path / "file" / "state")


def test_a_directory_where_the_journal_should_be(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert "is no file" in start(tmp_path)
