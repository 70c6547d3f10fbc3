"""The private key of a login, read from its file."""

from __future__ import annotations

import os
import stat
from typing import Final

import paramiko  # type: ignore[import-untyped]  # ships no types

from sdk.connection.causes import Cause
from sdk.connection.errors import DeviceError, fail
from sdk.connection.login import Login

_MOST_BYTES: Final = 1_000_000
_READABLE: Final = (
    "The user that jobs run as must be able to read it: see the page about keys and jump hosts."
)
_ANOTHER: Final = "Give a private key of RSA, ECDSA or Ed25519, as ssh-keygen makes it."


def private_key_of(login: Login) -> paramiko.PKey | None:
    """Return the key of `key_file`, None where the login has none. Reads the file; a certificate beside it is used too.

    Raises `BadKeyFileError`. Nothing of the file is in its message.
    """
    path = login.key_file
    if path is None:
        return None
    if not os.path.isabs(path):
        # A job's working directory is its own and empty.
        raise _bad(login, "it is no full path", "Give it from the root on, as /etc/neops/ssh/id_ed25519.")
    try:
        status = os.stat(path)
    except OSError as error:
        raise _bad(login, os.strerror(error.errno or 0), _READABLE) from None
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        raise _bad(login, "it is no file with a key", _ANOTHER)
    try:
        return _read(path, login.passphrase)
    except OSError as error:
        raise _bad(login, os.strerror(error.errno or 0), _READABLE) from None
    except Exception as error:
        # Of cryptography, bcrypt and paramiko, by its format. None is chained: some carry what they have read.
        raise _unusable(login, error) from None


def _read(path: str, passphrase: str | None) -> paramiko.PKey:
    if passphrase is None:
        return paramiko.PKey.from_path(path)
    try:
        # cryptography takes bytes only.
        return paramiko.PKey.from_path(path, passphrase.encode())  # pyright: ignore[reportArgumentType]
    except TypeError:  # it is not encrypted, so it needs none
        return paramiko.PKey.from_path(path)


def _unusable(login: Login, error: Exception) -> DeviceError:
    text = str(error).lower()
    is_encrypted = isinstance(error, TypeError | paramiko.PasswordRequiredException) or "password" in text
    if is_encrypted and login.passphrase is None:
        return _bad(login, "it is encrypted", "Give its `passphrase` beside `key_file`.")
    if login.passphrase is not None:
        return _bad(login, "the passphrase does not fit, or it is no private key", "Correct `passphrase`.")
    return _bad(login, "it is no private key that can be read", _ANOTHER)


def _bad(login: Login, detail: str, advice: str) -> DeviceError:
    return fail(
        Cause.BAD_KEY_FILE,
        login.where,
        secrets=login.secrets,
        path=login.key_file,
        detail=detail,
        advice=advice,
    )
