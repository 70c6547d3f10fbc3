"""Signals to the keeper: once is once, and before the start there is nothing to stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_SECONDS, wait_until

AWAY = "http://127.0.0.1:9"  # the discard port: nobody listens


def start(directory: Path) -> tuple["subprocess.Popen[bytes]", Path]:
    log = directory / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "supervisor",
                "--engine-url",
                AWAY,
                "--state-dir",
                str(directory / "state"),
            ],
            stdin=subprocess.DEVNULL,
            stderr=file,
            cwd=directory,
            start_new_session=True,
        )
    return process, log


def test_a_signal_before_the_start_ends_the_worker_at_once_and_is_no_failure(tmp_path: Path) -> None:
    process, log = start(tmp_path)
    try:
        wait_until(
            lambda: Path(f"/proc/{process.pid}/comm").read_text() == "neops-keeper\n", "the keeper keeps"
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_one_signal_to_the_whole_group_counts_once(tmp_path: Path) -> None:
    process, log = start(tmp_path)
    try:
        wait_until(lambda: "event=registration_failing" in log.read_text(), "the worker waits for its engine")
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    assert log.read_text().count("SIGTERM") == 1
