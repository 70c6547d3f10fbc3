"""Asks a running worker, for commands: blocking, and light on imports."""

import contextlib
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from supervisor.errors import SupervisorError
from supervisor.worker.control_socket.place import SECRET, SOCKET, address_in
from supervisor.worker.control_socket.protocol import REPLY_CAP_BYTES, JsonObject, read_reply, request_line
from supervisor.worker.control_socket.secret import read_secret

_TIMEVAL: Final = struct.Struct("ll")
CONNECT_SECONDS: Final = 10.0
"""How long a worker has to accept. One that is stopped, or whose loop hangs, never does."""

_LOOK_SECONDS: Final = 1.0


class NoWorkerError(SupervisorError):
    """No worker can be asked there. The message says where it was looked for, and what to do."""

    retryable = True


class NotAllowedError(SupervisorError):
    """This user, or this process, may not ask that worker."""


def socket_state(directory: Path) -> Literal["listens", "closed"] | None:
    """Return whether a worker listens in `directory`, or may and this user can't see it; `None` where none does."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = -1
    try:
        os.stat(directory / SOCKET)
        descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        connection.settimeout(_LOOK_SECONDS)
        connection.connect(address_in(descriptor))
    except PermissionError:
        return "closed"
    except (TimeoutError, BlockingIOError):
        return "listens"  # it hangs, or its queue is full: whoever asks it waits his turn, or is told
    except OSError:
        return None
    finally:
        connection.close()
        if descriptor >= 0:
            os.close(descriptor)
    return "listens"


class ControlClient:
    """Asks the worker whose control socket is in `directory`. Each request has a connection of its own.

    `searched` are the directories where one was looked for, which is told where none listens.
    """

    def __init__(self, directory: Path, searched: Sequence[Path] = ()) -> None:
        self.directory = directory
        self._searched = searched or (directory,)

    def ask(
        self, command: str, *, timeout_seconds: float | None = CONNECT_SECONDS, **arguments: Any
    ) -> JsonObject:
        """Return the worker's answer. Waits for it `timeout_seconds`, without a limit where that is `None`.

        Raises `NoWorkerError`, `NotAllowedError`, and `ControlError` where the worker answers no.
        """
        for data in self.stream(command, timeout_seconds=timeout_seconds, **arguments):
            return data
        raise self._ended()

    def stream(
        self, command: str, *, timeout_seconds: float | None = None, **arguments: Any
    ) -> Iterator[JsonObject]:
        """Yield the parts of an answer as they come. Raises as `ask` does, also for an answer without any part."""
        connection = self._connected()
        with connection:
            connection.settimeout(CONNECT_SECONDS)
            # The worker has closed it already where it refuses this process. What it said before that can be read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(request_line(self._secret(), command, arguments))
            # A worker that runs admits at once, however long its answer takes.
            is_admitted = is_answered = False
            for line in self._lines(connection):
                if not is_admitted:
                    connection.settimeout(timeout_seconds)
                is_admitted = True
                if line:
                    is_answered = True
                    yield self._read(line)
        if not is_answered:
            # A worker that ends, or is killed, before it has looked at who waits leaves the same silence as a refusal.
            has_ended = is_admitted or socket_state(self.directory) is None
            raise self._ended() if has_ended else self._refused()

    def _read(self, line: bytes) -> JsonObject:
        try:
            return read_reply(line)
        except ValueError as error:
            raise NoWorkerError(f"What listens in {self.directory} is no worker: {error}.") from None

    def _lines(self, connection: socket.socket) -> Iterator[bytes]:
        received = bytearray()
        while True:
            try:
                part = connection.recv(64 * 1024)
            except ConnectionResetError:
                return
            except TimeoutError:
                raise self._silent() from None
            if not part:
                return
            received += part
            while (end := received.find(b"\n")) >= 0:
                line = bytes(received[:end])
                del received[: end + 1]
                yield line
            if len(received) > REPLY_CAP_BYTES:
                raise NoWorkerError(f"What listens in {self.directory} is no worker: its answer has no end.")

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Where the queue is full the kernel lets who waits in `connect` have room by turns, but only a blocking socket
        # waits; SO_SNDTIMEO ends that with EAGAIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(int(CONNECT_SECONDS), 0))
        try:
            with self._held_open() as directory:
                connection.connect(address_in(directory))
            connection.getpeername()  # fails where a SIGCONT has interrupted the wait
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            places = " or ".join(map(str, self._searched))
            raise NoWorkerError(
                f"No worker listens in {places}. Start it, or give the --runtime-dir or --state-dir of one that runs."
            ) from None
        except PermissionError:
            connection.close()
            raise self._not_allowed() from None
        except BlockingIOError:
            connection.close()
            raise self._silent() from None
        except OSError as error:
            connection.close()
            raise NoWorkerError(
                f"The control socket in {self.directory} can't be used: {error.strerror}."
            ) from None
        return connection

    def _secret(self) -> str:
        try:
            with self._held_open() as directory:
                return read_secret(directory)
        except FileNotFoundError:
            raise NoWorkerError(f"There is no {SECRET} in {self.directory}. Restart the worker.") from None
        except OSError:
            raise self._not_allowed() from None

    @contextlib.contextmanager
    def _held_open(self) -> Iterator[int]:
        descriptor = os.open(self.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _not_allowed(self) -> NotAllowedError:
        return NotAllowedError(
            f"You may not ask the worker in {self.directory}. Run this as root or as the worker's user."
        )

    def _refused(self) -> NotAllowedError:
        return NotAllowedError(
            f"The worker in {self.directory} has refused to answer. Its log says why (control_refused); what a job has "
            "started may never ask."
        )

    def _ended(self) -> NoWorkerError:
        return NoWorkerError(f"The worker in {self.directory} has ended before it answered.")

    def _silent(self) -> NoWorkerError:
        return NoWorkerError(
            f"The worker in {self.directory} does not answer. It may be stopped, or very busy: look at its log."
        )
