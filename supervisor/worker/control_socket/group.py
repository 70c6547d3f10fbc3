"""Whether a group's members can reach the control socket, and what to do if they can't. Blocks with the disk."""

import errno
import grp
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from supervisor.errors import SupervisorError


class NoSuchGroupError(SupervisorError):
    """There is no group of this name. The message says what to do."""


def group_number(name: str | None) -> int | None:
    """Return the number of a group; `None` without a name. Raises `NoSuchGroupError`."""
    if name is None:
        return None
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise NoSuchGroupError(f"There is no group {name}: make it, or change --control-group.") from None


class ForGroup(Protocol):
    """A listener. `closed_to_group` says why members of the wanted group can't reach it."""

    closed_to_group: str | None


ForGroupT = TypeVar("ForGroupT", bound=ForGroup)


def listening_for(name: str | None, listen: Callable[[int | None], ForGroupT]) -> ForGroupT:
    """Call `listen` for the group of this name, or for no group if there is none of this name."""
    try:
        group = group_number(name)
    except NoSuchGroupError as error:
        listening = listen(None)
        listening.closed_to_group = str(error)
        return listening
    return listen(group)


def why_not_given(error: OSError) -> str | None:
    """Say why the worker may not give a file to a group, from the error. `None`: it failed for another reason."""
    if error.errno == errno.EPERM:
        return (
            "the worker's user is not in it. Put it there and restart the worker "
            "(in the unit: SupplementaryGroups=; deploy/README.md has the drop-in)."
        )
    if error.errno == errno.EINVAL:  # user_namespaces(7): a number without a mapping
        return (
            "the worker's user namespace does not have it. In the unit, PrivateUsers=no lets the worker see it "
            "(deploy/README.md has the drop-in)."
        )
    return None


def why_closed(path: Path, group: int, flag: str = "--runtime-dir") -> str | None:
    """Say which directory, this one or one above it, members of the group can't enter; `None` if they can.

    `flag` is the setting that sets the path.
    """
    place = path.resolve()
    for directory in (*reversed(place.parents), place):
        try:
            status = directory.stat()
        except OSError:  # the worker can't look at it either: unknown
            continue
        may_enter = stat.S_IXGRP if status.st_gid == group else stat.S_IXOTH
        if not status.st_mode & may_enter:
            return (
                f"{directory} is closed to it. Open it (chgrp and chmod g+x; in the unit: RuntimeDirectoryMode=, see "
                f"deploy/README.md), or give another {flag}, and restart the worker."
            )
    return None


def is_member(group: int) -> bool:
    """Whether this process may give files to the group."""
    return os.geteuid() == 0 or group in {os.getegid(), *os.getgroups()}
