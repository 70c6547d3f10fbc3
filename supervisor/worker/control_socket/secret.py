"""The secret that a client must also know: it proves that the client can read a file that jobs can't read."""

import contextlib
import hmac
import os
import secrets
from typing import Final

from supervisor.worker.control_socket.place import SECRET

_BYTES: Final = 32
_CAP_BYTES: Final = 1024


class Secret:
    """The secret of one run. Its `repr` does not show it."""

    def __init__(self) -> None:
        self._text = secrets.token_hex(_BYTES)

    def is_known_to(self, given: str) -> bool:
        """Whether `given` is the secret. Takes the same time for every value."""
        return hmac.compare_digest(self._text.encode(), given.encode(errors="replace"))

    def write(self, directory: int, group: int | None) -> None:
        """Write it into the directory, readable by its owner only, or by its `group` too. Raises `OSError`."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SECRET, dir_fd=directory)
        # Always a new file, so that nobody has it open: an earlier run's file may have belonged to another user.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(SECRET, flags, 0o600, dir_fd=directory)
        try:
            if group is not None:
                os.fchown(descriptor, -1, group)
                os.fchmod(descriptor, 0o640)
            os.write(descriptor, self._text.encode())
        finally:
            os.close(descriptor)


def read_secret(directory: int) -> str:
    """Return the secret that a worker has written there. Raises `OSError`."""
    descriptor = os.open(SECRET, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=directory)
    try:
        return os.read(descriptor, _CAP_BYTES).decode(errors="replace")
    finally:
        os.close(descriptor)
