"""Asks a running worker, for commands. It blocks, and imports little."""

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
"""How long a worker has to accept. A stopped worker, or one whose loop hangs, never accepts."""

_LOOK_SECONDS: Final = 1.0


class NoWorkerError(SupervisorError):
    """No worker can be asked there. The message says where the command looked, and what to do."""

    retryable = True


class NotAllowedError(SupervisorError):
    """This user, or this process, may not ask that worker."""


def socket_state(directory: Path) -> Literal["listens", "closed"] | None:
    """Return whether a worker listens in `directory`; "closed" if this user can't see it; `None` if none listens."""
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
        return "listens"  # it hangs, or its queue is full: a client waits for its turn, or gets an error
    except OSError:
        return None
    finally:
        connection.close()
        if descriptor >= 0:
            os.close(descriptor)
    return "listens"


class ControlClient:
    """Asks the worker whose control socket is in `directory`. Each request has a connection of its own.

    `searched` are the directories that were searched. The message names them if no worker listens.
    """

    def __init__(self, directory: Path, searched: Sequence[Path] = ()) -> None:
        self.directory = directory
        self._searched = searched or (directory,)

    def ask(
        self, command: str, *, timeout_seconds: float | None = CONNECT_SECONDS, **arguments: Any
    ) -> JsonObject:
        """Return the worker's answer. Waits `timeout_seconds` for it; `None` is no limit.

        Raises `NoWorkerError`, `NotAllowedError`, and `ControlError` if the worker refuses.
        """
        for data in self.stream(command, timeout_seconds=timeout_seconds, **arguments):
            return data
        raise self._ended()

    def stream(
        self, command: str, *, timeout_seconds: float | None = None, **arguments: Any
    ) -> Iterator[JsonObject]:
        """Yield the parts of an answer as they come. Raises the same as `ask`, also for an answer without parts."""
        connection = self._connected()
        with connection:
            connection.settimeout(CONNECT_SECONDS)
            # If the worker refuses this process, it has closed the connection already. Its earlier output can be read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(request_line(self._secret(), command, arguments))
            # A running worker admits a client at once, however long its answer takes.
            is_admitted = is_answered = False
            for line in self._lines(connection):
                if not is_admitted:
                    connection.settimeout(timeout_seconds)
                is_admitted = True
                if line:
                    is_answered = True
                    yield self._read(line)
        if not is_answered:
            # If a worker ends, or is killed, before it has looked at the queue, the silence looks like a refusal.
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
        # If the queue is full, the kernel lets the processes that wait in `connect` in by turns, but only a blocking
        # socket waits; SO_SNDTIMEO ends that with EAGAIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(int(CONNECT_SECONDS), 0))
        try:
            with self._held_open() as directory:
                connection.connect(address_in(directory))
            connection.getpeername()  # fails if a SIGCONT has interrupted the wait
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
