"""Without /proc no process can be watched: that is said at the start, and nothing is tried."""

import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.commands.shared.common import EXIT_FAILED, run_to_exit_code
from supervisor.errors import StartRefusedError
from supervisor.process import proc_mount
from supervisor.process.proc_mount import refuse_without_proc
from tests.patience import PATIENCE_SECONDS


def test_nothing_is_begun_without_proc_and_what_to_do_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> int:
        raise AssertionError("was begun")

    refuse_without_proc()
    monkeypatch.setattr(proc_mount, "_OWN", "/nowhere/self/stat")
    with pytest.raises(StartRefusedError, match="mount -t proc proc /proc"):
        refuse_without_proc()
    assert run_to_exit_code("test", work) == EXIT_FAILED
    assert "/proc is not mounted here" in capsys.readouterr().err


@pytest.mark.needs("mounts of root")
@pytest.mark.parametrize("command", [(), ("blocks",)], ids=["daemon", "blocks"])
def test_a_worker_in_a_namespace_without_proc_refuses_to_start_in_one_line(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    hidden = 'mount -t tmpfs none /proc && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", hidden, "sh", sys.executable]
        + ["-m", "supervisor", *command]
        + ([] if command else ["--engine-url", "http://127.0.0.1:9", "--state-dir", str(tmp_path)]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == EXIT_FAILED
    assert len(said.splitlines()) == 1
    assert "/proc is not mounted here" in said
