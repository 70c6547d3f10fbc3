"""The private key of a login: from its text, or from a file."""

from __future__ import annotations

import base64
import errno
import io
import os
import stat
from typing import Any, Final

import paramiko  # type: ignore[import-untyped]  # ships no types

from sdk.connection.causes import Cause
from sdk.connection.errors import DeviceError, fail
from sdk.connection.login import Login

_MOST_BYTES: Final = 1_000_000
_READABLE: Final = (
    "This job runs as user {user}, who must be able to read it. With --job-users each job is another user, and can't "
    "read what only the worker can: give the key itself, as `private_key`. See the page about keys and jump hosts."
)
_KINDS: Final[tuple[tuple[bytes, Any], ...]] = (
    (b"ssh-ed25519", paramiko.Ed25519Key),
    (b"ecdsa-sha2-", paramiko.ECDSAKey),
    (b"ssh-rsa", paramiko.RSAKey),
)
_HEAD_BYTES: Final = 300
"""In OpenSSH's format, the public key begins with its type. It stands after the names of the ciphers."""

_ANOTHER: Final = "Give a private key of RSA, ECDSA or Ed25519, as ssh-keygen makes it."


def private_key_of(login: Login) -> paramiko.PKey | None:
    """Return the key of `private_key`, otherwise of `key_file`; None if the login has neither.

    Reads the file, and uses a certificate beside it.

    Raises `BadKeyFileError`. Its message holds nothing of the file.
    """
    if login.private_key is not None:
        try:
            return _in_text(login.private_key, login.passphrase)
        except Exception as error:
            raise _unusable(login, error) from None
    path = login.key_file
    if path is None:
        return None
    if not os.path.isabs(path):
        # A job has its own working directory, and it is empty.
        raise _bad(login, "it is no full path", "Give it from the root on, as /etc/neops/ssh/id_ed25519.")
    try:
        status = os.stat(path)
    except OSError as error:
        raise _unreadable(login, error) from None
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        raise _bad(login, "it is no file with a key", _ANOTHER)
    try:
        return _read(path, login.passphrase)
    except OSError as error:
        raise _unreadable(login, error) from None
    except Exception as error:
        # From cryptography, bcrypt or paramiko, by the key's format. None is chained: some errors hold what was read.
        raise _unusable(login, error) from None


def _read(path: str, passphrase: str | None) -> paramiko.PKey:
    if passphrase is None:
        return paramiko.PKey.from_path(path)
    try:
        # cryptography accepts only bytes.
        return paramiko.PKey.from_path(path, passphrase.encode())  # pyright: ignore[reportArgumentType]
    except TypeError:  # the key is not encrypted, so it needs no passphrase
        return paramiko.PKey.from_path(path)


def _in_text(text: str, passphrase: str | None) -> paramiko.PKey:
    """Return the key in a text. Raises what paramiko raises, and `ValueError` for any text without such a key."""
    kind, whole = _kind_of(text), text.strip() + "\n"
    try:
        key: paramiko.PKey = kind.from_private_key(io.StringIO(whole), passphrase)
    except TypeError:  # the key is not encrypted, so it needs no passphrase
        if passphrase is None:
            raise
        key = kind.from_private_key(io.StringIO(whole))
    return key


def _kind_of(text: str) -> Any:
    """Return the class for a key. Even an encrypted key in OpenSSH's format shows it: its public half is in the clear.

    The alternative, to try each class, would derive the key from the passphrase each time, which is slow on purpose.
    """
    first, *rest = text.strip().splitlines()
    if " RSA " in first:
        return paramiko.RSAKey
    if " EC " in first:
        return paramiko.ECDSAKey
    data = base64.b64decode("".join(line for line in rest if not line.startswith("-----")))
    for mark, kind in _KINDS:
        if mark in data[:_HEAD_BYTES]:
            return kind
    raise ValueError("it is no private key")


def _unreadable(login: Login, error: OSError) -> DeviceError:
    advice = _READABLE.format(user=os.geteuid()) if error.errno == errno.EACCES else "Correct `key_file`."
    return _bad(login, os.strerror(error.errno or 0), advice)


def _unusable(login: Login, error: Exception) -> DeviceError:
    text = str(error).lower()
    is_encrypted = isinstance(error, TypeError | paramiko.PasswordRequiredException) or "password" in text
    if is_encrypted and login.passphrase is None:
        return _bad(login, "it is encrypted", "Give its `passphrase` beside it.")
    if login.passphrase is not None:
        return _bad(login, "the passphrase does not fit, or it is no private key", "Correct `passphrase`.")
    return _bad(login, "it is no private key that can be read", _ANOTHER)


def _bad(login: Login, detail: str, advice: str) -> DeviceError:
    return fail(
        Cause.BAD_KEY_FILE,
        login.where,
        secrets=login.secrets,
        path=login.key_file if login.private_key is None else "in `private_key`",
        detail=detail,
        advice=advice,
    )
