"""The token that every request needs, and the file in which it lies for those who may have it.

All users of a machine reach its loopback, and the engine hands out device passwords. So only who can read this file,
which is the user who runs the engine, can speak with it.
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
    """A token that is new at each start of an engine; `file` is where it lies."""

    file: Path
    value: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM_BYTES), repr=False)

    def is_in(self, authorization: str | None) -> bool:
        """Tell whether an Authorization header has this token, in a time that does not tell how much of it is right."""
        scheme, _, given = (authorization or "").partition(" ")
        # As bytes: of texts, compare_digest takes ASCII only.
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self.value.encode())
        return same and scheme.lower() == "bearer"

    def publish(self) -> None:
        """Write the file: for its owner alone from its first moment on, and in one step. Raises `TokenFileError`.

        It stays when the engine ends: its token is void then, and a worker that is started a moment before the next
        engine still finds a file. A symbolic link in its place is replaced, not followed.
        """
        # One name, so that what a killed engine has left is removed by the next one.
        new = self.file.with_name(f".{self.file.name}.new")
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(new, flags, 0o600)
            try:
                # A umask may have taken too much away.
                os.fchmod(descriptor, 0o600)
                os.write(descriptor, f"{self.value}\n".encode())
            finally:
                os.close(descriptor)
            new.replace(self.file)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise TokenFileError(self.file, error.strerror or type(error).__name__) from error
