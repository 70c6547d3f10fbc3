"""The terminals of a walkthrough. They are real ones, so that programs print what a reader sees."""

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

LONGEST_COMMAND_SECONDS = 50
LONGEST_WAIT_SECONDS = 30
ROWS_AND_COLUMNS = (50, 150)

# What moves the cursor and sets colours.
_CONTROL = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")


class Terminal:
    """A command in a terminal of its own, and what it has printed so far."""

    def __init__(self, command: str, directory: Path, environment: dict[str, str]) -> None:
        self.command = command
        self._master, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *ROWS_AND_COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self._printed = ""
        self._seen = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, line: re.Pattern[str]) -> bool:
        """Whether such a line comes, after those that were waited for before."""
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            over = not self._reader.is_alive()
            for number, printed in enumerate(self.lines()[self._seen :], start=self._seen):
                if line.search(printed):
                    self._seen = number + 1
                    return True
            if over or time.monotonic() > end:
                return False
            time.sleep(0.02)

    def lines(self) -> list[str]:
        return self.text().splitlines()

    def text(self) -> str:
        return _CONTROL.sub("", self._printed).replace("\r\n", "\n")

    def wait(self) -> int:
        """Wait until the command ends, and return its exit code."""
        code = self._process.wait(LONGEST_COMMAND_SECONDS)
        self._reader.join(LONGEST_WAIT_SECONDS)
        return code

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        return self.wait()

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(LONGEST_WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(LONGEST_WAIT_SECONDS)
        self._reader.join(LONGEST_WAIT_SECONDS)
        os.close(self._master)

    def _read(self) -> None:
        pending = b""
        while True:
            try:
                chunk = os.read(self._master, 65536)
            except OSError:  # EIO: nobody holds the other side any more
                break
            if not chunk:
                break
            pending += chunk
            self._printed = pending.decode(errors="replace")


def run(command: str, directory: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run what ends by itself; return its exit code and all that it printed."""
    terminal = Terminal(command, directory, environment)
    try:
        return terminal.wait(), terminal.text()
    finally:
        terminal.close()
