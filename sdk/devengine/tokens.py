"""The token that every request needs, and the file that gives it to those who may have it.

All users of a machine reach its loopback, and the engine hands out device passwords. So only a user who can read this
file can speak with the engine: that is the user who runs it.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sdk.devengine.errors import TokenFileError

_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that is new at each start of an engine; `file` is the file that holds it."""

    file: Path
    value: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM_BYTES), repr=False)

    def is_in(self, authorization: str | None) -> bool:
        """Whether an Authorization header has this token. The time for that does not show how much of it is right."""
        scheme, _, given = (authorization or "").partition(" ")
        # As bytes: for texts, compare_digest accepts only ASCII.
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self.value.encode())
        return same and scheme.lower() == "bearer"

    def publish(self) -> None:
        """Write the file in one step. Only its owner can read it from its first moment on. Raises `TokenFileError`.

        The file stays when the engine ends. Its token is not valid any more then, but a worker that starts a moment
        before the next engine still finds a file. A symbolic link in its place is replaced, not followed.
        """
        # Always the same name, so that the next engine removes what a killed engine has left.
        new = self.file.with_name(f".{self.file.name}.new")
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(new, flags, 0o600)
            try:
                # A umask may have removed too many permissions.
                os.fchmod(descriptor, 0o600)
                os.write(descriptor, f"{self.value}\n".encode())
            finally:
                os.close(descriptor)
            new.replace(self.file)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise TokenFileError(self.file, error.strerror or type(error).__name__) from error
