"""One block server as a process with two pipes: messages out, messages in, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

# -P: a directory named `supervisor` in the author's project must not come before the worker's.
_COMMAND: Final = (sys.executable, "-P", "-m", "supervisor.commands.blockserver")
_CLOSE_SECONDS: Final = 15.0
_READ_BYTES: Final = 1 << 16
_LAST_WORDS_BYTES: Final = 4096


class Connection:
    """Starts a block server (`supervisor.commands.blockserver`).

    It belongs to the process that created it, not to its forks.

    `environment` is added to the variables of this process for the server.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # open for as long as the server runs
        self._owner_pid = os.getpid()
        self._unread = bytearray()
        # A session of its own: Ctrl-C goes only to pytest, which closes the server itself.
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._answers = self._process.stdout

    @property
    def pid(self) -> int:
        """The process that was started: the server's keeper (`supervisor.keeper`)."""
        return self._process.pid

    @property
    def is_mine(self) -> bool:
        """Whether this process started the server. It is false in a fork of that process."""
        return self._owner_pid == os.getpid()

    @property
    def has_ended(self) -> bool:
        """Whether the server is gone."""
        return self._process.poll() is not None

    def send(self, message: dict[str, Any]) -> None:
        """Send one message. Raises `OSError` if the server is gone."""
        view = memoryview(json.dumps(message, allow_nan=False).encode() + b"\n")
        while view:
            view = view[os.write(self._requests.fileno(), view) :]

    def receive(self, deadline: float) -> dict[str, Any]:
        """Wait for the next message until `deadline` (`time.monotonic`).

        Raises `TimeoutError`, or `EOFError` if the server is gone.
        """
        searched = 0
        while (found := self._unread.find(b"\n", searched)) < 0:
            searched = len(self._unread)
            self._wait_for_data(deadline)
            data = os.read(self._answers.fileno(), _READ_BYTES)
            if not data:
                raise EOFError
            self._unread += data
        line = bytes(self._unread[:found])
        del self._unread[: found + 1]
        message: dict[str, Any] = json.loads(line)
        return message

    def _wait_for_data(self, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._answers.fileno(), select.POLLIN)
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
            raise TimeoutError

    def last_words(self) -> str:
        """Wait for the end of a server that has closed its pipe. Return how it ended and what it said."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_SECONDS)
        self._errors.seek(0)
        said = self._errors.read()[-_LAST_WORDS_BYTES:].decode(errors="backslashreplace")
        return f"exit code {self._process.returncode}. It said:\n{said}"

    def close(self) -> None:
        """Close the pipes. The server then ends and clears away what it runs, and ends itself; this waits for that.

        In a fork of the process that started it, this does nothing to the server.
        """
        self._requests.close()
        if self.is_mine:
            try:
                self._process.wait(_CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._answers.close()
        self._errors.close()

    def kill(self) -> None:
        """End a server that does not end by itself, and all processes below it.

        This kills the server, and its keeper then clears everything away. If the keeper were killed, it would leave a
        server that hangs.
        """
        with contextlib.suppress(OSError):
            below = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            for pid in below.split():
                os.kill(int(pid), signal.SIGKILL)
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
