"""The process that runs blocks for the tests, as the tests hold it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Final, Self

from sdk.testing.errors import HarnessError

_COMMAND: Final = (sys.executable, "-m", "supervisor.blockserver")
_CLOSE_SECONDS: Final = 15.0
_READ_BYTES: Final = 1 << 16


@dataclass(slots=True)
class Ticket:
    """One request on its way."""

    id: int
    sent: bool = field(default=False)
    given_up: bool = field(default=False)


class ServerProcess:
    """A block server, started with the first request and ended by `close`. Serves one request at a time.

    It is a process of its own (``supervisor.blockserver``), so that this one neither forks nor adopts what blocks
    leave behind. May be used from several threads. No thread of its own: one that lives as long as the tests would
    make each of their forks a warning (Python 3.12 on).
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._one_request = threading.Lock()
        self._one_write = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_pid = 0
        self._errors: IO[bytes] | None = None
        self._unread = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process that was started, None while there is none."""
        return self._process.pid if self._process is not None else None

    def ticket(self) -> Ticket:
        """Return the number for a new request, by which it can be given up."""
        return Ticket(next(self._numbers))

    def ask(self, ticket: Ticket, request: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """Send ``request`` and return the answer to it. Raises ``HarnessError``.

        Whatever ends the wait early (a timeout of pytest, a Ctrl-C) ends the job too.
        """
        with self._one_request:
            process = self._running()
            self._send(process, ticket, request)
            try:
                return self._answer_to(process, ticket, time.monotonic() + timeout_seconds)
            except BaseException:
                self.give_up(ticket)
                raise

    def give_up(self, ticket: Ticket) -> None:
        """End the job of a request, or leave it undone. Harmless when it has ended."""
        with self._one_write:
            ticket.given_up = True
            process = self._process
            if ticket.sent and process is not None:
                with contextlib.suppress(OSError):
                    _write(process, {"request": "stop", "id": ticket.id})

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner_pid != os.getpid():
            self._forget()  # this is a fork; the server is its parent's
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._start()
        assert self._process is not None
        return self._process

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # open for as long as the server runs
        self._owner_pid = os.getpid()
        # A session of its own: a Ctrl-C is for pytest, which closes the server in its own time.
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            start_new_session=True,
        )

    def _send(self, process: subprocess.Popen[bytes], ticket: Ticket, request: dict[str, Any]) -> None:
        with self._one_write:
            if ticket.given_up:
                raise HarnessError("It was given up before its turn came.", kind="stopped")
            ticket.sent = True
            try:
                _write(process, {"request": "run", "id": ticket.id, **request})
            except OSError:
                raise self._gone(process) from None

    def _answer_to(self, process: subprocess.Popen[bytes], ticket: Ticket, end: float) -> dict[str, Any]:
        while True:
            answer: dict[str, Any] = json.loads(self._line(process, end))
            # Others are late answers to what was given up.
            if answer.pop("id") == ticket.id:
                return answer

    def _line(self, process: subprocess.Popen[bytes], end: float) -> bytes:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        searched = 0
        while (found := self._unread.find(b"\n", searched)) < 0:
            searched = len(self._unread)
            if not _is_readable(descriptor, end - time.monotonic()):
                process.kill()  # what does not answer now has lost count; the next request starts another
                raise HarnessError("The block server did not answer in time and was ended.", kind="timeout")
            data = os.read(descriptor, _READ_BYTES)
            if not data:
                raise self._gone(process)
            self._unread += data
        line = bytes(self._unread[:found])
        del self._unread[: found + 1]
        return line

    def _gone(self, process: subprocess.Popen[bytes]) -> HarnessError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_CLOSE_SECONDS)
        said = ""
        if self._errors is not None:
            self._errors.seek(0)
            said = self._errors.read()[-4096:].decode(errors="backslashreplace")
        return HarnessError(
            f"The block server ended (exit code {process.returncode}). It said:\n{said}", kind="server_ended"
        )

    def close(self) -> None:
        """End the server and wait for its end; it ends and clears away what it runs. May be called again."""
        process = self._process
        if process is not None and self._owner_pid == os.getpid():
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(_CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # its keeper ends what is below it
                process.wait()
        self._forget()

    def _forget(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout, self._errors):
                if pipe is not None:
                    pipe.close()
        self._errors = None
        self._unread.clear()


def _write(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    assert process.stdin is not None
    view = memoryview(json.dumps(message, allow_nan=False).encode() + b"\n")
    while view:
        view = view[os.write(process.stdin.fileno(), view) :]


def _is_readable(descriptor: int, timeout_seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(timeout_seconds, 0) * 1000))
