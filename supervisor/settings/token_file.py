"""The bearer token for the engine, from the file in which it lies. It is never part of a message."""

import contextlib
import ipaddress
import os
import re
import stat
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from supervisor.errors import StartRefusedError
from supervisor.process.small_file import NotAFileError, ordinary_file
from supervisor.process.user_names import user_name

_CAP_BYTES: Final = 8 * 1024
"""A token is part of a header of each request; servers refuse one that is longer than this."""

_TOKEN: Final = re.compile(rb"[!-~]+")
_GROUP: Final = 0o070
_OTHERS: Final = 0o007
_NOBODY: Final = 65534


def read_token(path: Path, engine_url: str) -> str:
    """Return the token in `path`, for the engine at `engine_url`. Raises `StartRefusedError`, which names the file.

    The file for an engine on this machine has to be private to its user, as `sdk.devengine` writes it. For an engine
    elsewhere it is the administrator's, who may have mounted it readable, as Kubernetes does.
    """
    with contextlib.ExitStack() as opened:
        try:
            descriptor = opened.enter_context(ordinary_file(path))
        except FileNotFoundError:
            raise _refused(
                path, "does not exist", "Start the engine, which writes it, or name another one."
            ) from None
        except NotAFileError as error:
            what = "a directory" if stat.S_ISDIR(error.mode) else "no regular file"
            raise _refused(path, f"is {what}", "Name the file that holds the token.") from None
        except OSError as error:
            raise _refused(
                path, f"can't be read: {error.strerror}", "Run this as the user whose file it is."
            ) from error
        if is_on_this_machine(engine_url):
            _refuse_if_not_private(path, os.fstat(descriptor))
        try:
            content = os.read(descriptor, _CAP_BYTES + 1)
        except OSError as error:
            raise _refused(path, f"can't be read: {error.strerror}", "Name another one.") from error
    if len(content) > _CAP_BYTES:
        what = f"is larger than {_CAP_BYTES // 1024} KiB, as no token is"
        raise _refused(path, what, "Name the file that holds the token, and nothing else.")
    content = content.strip()
    if not content:
        raise _refused(path, "is empty", "Start the engine anew, which writes it, or name another one.")
    if not _TOKEN.fullmatch(content):
        raise _refused(path, "holds no token", "A token is one word of printable ASCII.")
    return content.decode("ascii")


def is_on_this_machine(url: str) -> bool:
    """Whether a URL leads to the loopback."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or no URL
        return False


def _refuse_if_not_private(path: Path, status: os.stat_result) -> None:
    me = os.geteuid()
    # What is root's may be lent to a group: that is how systemd hands over a credential. What a service's own user has
    # written that exists only while it runs (DynamicUser=) belongs to nobody on the disk, and root may read it.
    if status.st_uid not in (me, 0) and not (me == 0 and status.st_uid == _NOBODY):
        raise _refused(
            path,
            f"belongs to {user_name(status.st_uid)}, and this runs as {user_name(me)}",
            f"Run it as {user_name(status.st_uid)}, or name a file of your own.",
        )
    open_to = _OTHERS if status.st_uid != me else _OTHERS | _GROUP
    if mode := stat.S_IMODE(status.st_mode) & open_to:
        # Refused and not mended: others may have read it already, and only a new token shuts them out again.
        who = "every user of this machine" if mode & _OTHERS else "its group"
        raise _refused(
            path,
            f"is open to {who} (mode {stat.S_IMODE(status.st_mode):04o})",
            "Start the engine anew, which writes a new token for you alone, or make a new one with mode 0600.",
        )


def _refused(path: Path, what: str, advice: str) -> StartRefusedError:
    return StartRefusedError(f"The file with the token for the engine, {path}, {what}. {advice}")
