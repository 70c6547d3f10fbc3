"""Bearer tokens and their files: for the engine, and for the worker's metrics. No message shows a token."""

import contextlib
import ipaddress
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from supervisor.errors import StartRefusedError, WrongSettingError
from supervisor.process.small_file import NotAFileError, ordinary_file
from supervisor.process.user_names import user_name

_CAP_BYTES: Final = 8 * 1024
"""A token is part of a header of each request; servers refuse a longer header."""

_TOKEN: Final = re.compile(rb"[!-~]+")
_SHORTEST_HEALTH_TOKEN: Final = 16
_GROUP: Final = 0o070
_OTHERS: Final = 0o007
_NOBODY: Final = 65534


@dataclass(frozen=True, slots=True)
class _Purpose:
    """What a token is for, and what to do if it is missing, empty, or was readable by others."""

    name: str
    missing: str
    empty: str
    opened: str
    is_made_by_people: bool
    """Then only a person can correct it. An engine writes its token again at each start."""


_ENGINE: Final = _Purpose(
    "the token for the engine",
    "Start the engine, which writes it, or name another one.",
    "Start the engine anew, which writes it, or name another one.",
    "Start the engine anew, which writes a new token for you alone, or make a new one with mode 0600.",
    is_made_by_people=False,
)
_MAKE: Final = "Make one: (umask 077; openssl rand -hex 32 >FILE)."
_HEALTH: Final = _Purpose(
    "the token for the metrics", _MAKE, _MAKE, f"{_MAKE} Others may know this one.", is_made_by_people=True
)


def read_token(path: Path, engine_url: str) -> str:
    """Return the token in `path`, for the engine at `engine_url`. Raises `StartRefusedError`, which names the file.

    The file for an engine on this machine must be private to its user, as `sdk.devengine` writes it. The file for an
    engine elsewhere is the administrator's, who may have mounted it readable, as Kubernetes does.
    """
    return _read(path, _ENGINE, private=is_on_this_machine(engine_url))


def read_health_token(path: Path, worker: int | None = None) -> str:
    """Return the token in `path`, for clients that read the metrics. Raises `StartRefusedError`, which names the file.

    `WrongSettingError` is one of these: another try does not help.

    The file must be private to the worker's user, because jobs can reach the port that asks for the token. If root
    looks for that user, `worker` is the user's number.
    """
    token = _read(path, _HEALTH, private=True, reader=worker)
    if len(token) < _SHORTEST_HEALTH_TOKEN:
        what = f"has fewer than {_SHORTEST_HEALTH_TOKEN} characters, which can be guessed"
        raise _wrong(path, _HEALTH, what, _MAKE)
    return token


def _read(path: Path, purpose: _Purpose, *, private: bool, reader: int | None = None) -> str:
    with contextlib.ExitStack() as opened:
        try:
            descriptor = opened.enter_context(ordinary_file(path))
        except FileNotFoundError:
            raise _refused(path, purpose, "does not exist", purpose.missing) from None
        except NotAFileError as error:
            what = "a directory" if stat.S_ISDIR(error.mode) else "no regular file"
            raise _wrong(path, purpose, f"is {what}", "Name the file that holds the token.") from None
        except OSError as error:
            what = f"can't be read: {error.strerror}"
            raise _refused(path, purpose, what, "Run this as the user whose file it is.") from error
        if private:
            _refuse_if_not_private(path, purpose, os.fstat(descriptor), reader)
        try:
            content = os.read(descriptor, _CAP_BYTES + 1)
        except OSError as error:
            raise _refused(path, purpose, f"can't be read: {error.strerror}", "Name another one.") from error
    if len(content) > _CAP_BYTES:
        what = f"is larger than {_CAP_BYTES // 1024} KiB, as no token is"
        raise _wrong(path, purpose, what, "Name the file that holds the token, and nothing else.")
    content = content.strip()
    if not content:
        raise _refused(path, purpose, "is empty", purpose.empty)
    if not _TOKEN.fullmatch(content):
        raise _wrong(path, purpose, "holds no token", "A token is one word of printable ASCII.")
    return content.decode("ascii")


def is_on_this_machine(url: str) -> bool:
    """Whether a URL leads to the loopback."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or not a URL
        return False


def _refuse_if_not_private(path: Path, purpose: _Purpose, status: os.stat_result, reader: int | None) -> None:
    me = os.geteuid() if reader is None else reader
    # Root may read any file, so also the token of an engine of any user. With DynamicUser= a service's user exists only
    # while the service runs: its files belong to nobody on the disk.
    is_roots_to_read = me == 0 and (purpose is _ENGINE or status.st_uid == _NOBODY)
    if status.st_uid not in (me, 0) and not is_roots_to_read:
        raise _wrong(
            path,
            purpose,
            f"belongs to {user_name(status.st_uid)}, and this runs as {user_name(me)}",
            f"Run it as {user_name(status.st_uid)}, or name a file of your own.",
        )
    if me == 0:
        _refuse_a_link_of_others(path, purpose, status)
    # A file of root's may be readable by a group: this is how systemd passes a credential.
    is_lent = status.st_uid == 0 and me != 0
    open_to = _OTHERS if is_lent else _OTHERS | _GROUP
    if mode := stat.S_IMODE(status.st_mode) & open_to:
        # Refused, and not corrected: others may have read it already, and only a new token helps.
        who = "every user of this machine" if mode & _OTHERS else "its group"
        raise _wrong(
            path,
            purpose,
            f"is open to {who} (mode {stat.S_IMODE(status.st_mode):04o})",
            purpose.opened,
        )


def _refuse_a_link_of_others(path: Path, purpose: _Purpose, status: os.stat_result) -> None:
    """Refuse a link that belongs to neither root nor the file's owner: its maker could make root send another's secret.

    Checked after the file was opened, so it does not help to remove the link meanwhile.
    """
    try:
        owner = os.lstat(path).st_uid
    except OSError as error:
        raise _refused(path, purpose, f"can't be read: {error.strerror}", "Name another one.") from error
    if owner not in (0, status.st_uid):
        raise _wrong(
            path,
            purpose,
            f"is a link of {user_name(owner)} to a file of {user_name(status.st_uid)}",
            "Look where it leads, and name that file if it is meant.",
        )


def _refused(path: Path, purpose: _Purpose, what: str, advice: str) -> StartRefusedError:
    return StartRefusedError(_text(path, purpose, what, advice))


def _wrong(path: Path, purpose: _Purpose, what: str, advice: str) -> StartRefusedError:
    """Return the error that another try does not correct, unless an engine writes the file."""
    kind = WrongSettingError if purpose.is_made_by_people else StartRefusedError
    return kind(_text(path, purpose, what, advice))


def _text(path: Path, purpose: _Purpose, what: str, advice: str) -> str:
    return f"The file with {purpose.name}, {path}, {what}. {advice}"
