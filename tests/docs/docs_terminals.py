"""The terminals of a walkthrough: one for commands that end, others for those that go on."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

LONGEST_COMMAND_SECONDS = 50
LONGEST_WAIT_SECONDS = 30


def run(command: str, directory: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run what ends by itself; return its exit code and all that it printed."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_COMMAND_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


class Terminal:
    """A command that goes on, and what it has printed so far."""

    def __init__(self, command: str, directory: Path, environment: dict[str, str]) -> None:
        self.command = command
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._seen = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, line: re.Pattern[str]) -> bool:
        """Whether such a line comes, after those that were waited for before."""
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            over = self._process.poll() is not None and not self._reader.is_alive()
            for number in range(self._seen, len(self._lines)):
                if line.search(self._lines[number]):
                    self._seen = number + 1
                    return True
            if over or time.monotonic() > end:
                return False
            time.sleep(0.02)

    def text(self) -> str:
        return "".join(self._lines)

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(LONGEST_WAIT_SECONDS)

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(LONGEST_WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(LONGEST_WAIT_SECONDS)
        self._reader.join(LONGEST_WAIT_SECONDS)
        if self._process.stdout:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.append(line)
