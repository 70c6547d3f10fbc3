"""Root in another user's directory takes that user's rights to files, so that nothing there gives its owner more.

The owner may have put a link there, or a file that makes a library remove another one (SQLite's super-journal).

It changes the user for files (setfsuid(2)), which each thread has for itself. The effective user would change for all
threads, and a support bundle may leave a thread behind that hangs on a disk. Also, root's process stays one to which
the owner may send no signal.
"""

import contextlib
import ctypes
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from supervisor.errors import StateDirectoryError
from supervisor.process.user_names import user_name

_libc = ctypes.CDLL(None, use_errno=True)
for _call in (_libc.setfsuid, _libc.setfsgid):
    _call.argtypes, _call.restype = [ctypes.c_uint], ctypes.c_uint

_NO_ID: Final = 2**32 - 1
"""With this, setfsuid(2) changes nothing, and only returns the current user: the call reports no failure."""
_CAPABILITIES_VERSION: Final = 0x20080522  # <linux/capability.h>
_READ_AND_SEARCH: Final = 1 << 2  # CAP_DAC_READ_SEARCH


@contextlib.contextmanager
def as_owner(directory: Path) -> Iterator[int | None]:
    """If this is root and the directory belongs to another user: take that user's rights to files, and yield the uid.

    Otherwise nothing changes, and it yields `None`. The rights are this thread's; the supplementary groups are all
    threads'. Root's other rights stay, such as sending signals.

    A service's directory is in a directory that only root may enter (systemd's /var/lib/private). To get there, the
    thread may read and search as root does; it writes as the owner. So the code that opens a file checks it first: it
    is not a link, and it belongs to the owner. The owner may replace it in that moment. Then the new file is read, but
    its content is never shown to the owner.

    Raises `StateDirectoryError`.
    """
    status = _status_of_another(directory)
    if status is None:
        yield None
        return
    way = directory.resolve()
    group, groups = _groups_of(status)
    own_group, own_groups = os.getegid(), os.getgroups()
    try:
        os.setgroups(groups)
    except OSError:  # a container's user namespace may forbid this
        raise _refused(directory, status.st_uid) from None
    try:
        _libc.setfsgid(group)
        _libc.setfsuid(status.st_uid)
        if _libc.setfsuid(_NO_ID) != status.st_uid:
            raise _refused(directory, status.st_uid)
        _find_the_way(way, status.st_uid)
        yield status.st_uid
    finally:
        # When the user for files becomes root again, the kernel gives back all capabilities to files.
        _libc.setfsuid(0)
        _libc.setfsgid(own_group)
        os.setgroups(own_groups)


def refuse_what_is_not_of(owner: int, file: Path) -> None:
    """Raise `StateDirectoryError` for a link, and for all but an ordinary file of this user. No file at all is fine.

    `owner` is the uid that `as_owner` yields.
    """
    try:
        status = file.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode) or status.st_uid != owner:
        raise StateDirectoryError(
            f"{file} is a link, no ordinary file, or not that of {user_name(owner)}, whose the directory is. Root does "
            "not open it. Find out who has put it there, and have it removed or given to that user."
        )


def _status_of_another(directory: Path) -> os.stat_result | None:
    if os.geteuid() != 0:
        return None
    try:
        status = os.stat(directory)
    except OSError as error:
        raise StateDirectoryError(f"{directory} can't be looked at: {error.strerror}.") from error
    return None if status.st_uid == 0 else status


def _groups_of(status: os.stat_result) -> tuple[int, list[int]]:
    try:
        entry = pwd.getpwuid(status.st_uid)
    except KeyError:
        # If root has made the directory, its group may still be root's.
        return status.st_gid or status.st_uid, []
    return entry.pw_gid, os.getgrouplist(entry.pw_name, entry.pw_gid)


def _find_the_way(way: Path, owner: int) -> None:
    """Check that this thread can reach a directory. Raises `StateDirectoryError`."""
    if _closed_on(way) is None:
        return
    _may_read_and_search()
    if (closed := _closed_on(way)) is not None:
        raise StateDirectoryError(
            f"{way} belongs to {user_name(owner)}. Root works there with the rights of that user, who may not enter "
            f"{closed}. Let that user enter it, or give root the capability CAP_DAC_READ_SEARCH, which it lacks here."
        )


def _closed_on(way: Path) -> Path | None:
    """Return the uppermost directory on the way that this thread may not enter, if there is one."""
    for each in (*reversed(way.parents), way):
        try:
            os.stat(f"{each}/.")
        except PermissionError:
            return each
        except OSError:  # it is gone: the code that opens the file reports that
            break
    return None


def _may_read_and_search() -> None:
    """Take this one capability in this thread, if root has it here: in a container it may not."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    # Effective, permitted and inheritable: three words for the first 32 capabilities, then three for the others.
    sets = (ctypes.c_uint32 * 6)()
    if _libc.capget(header, sets) == 0:
        sets[0] |= sets[1] & _READ_AND_SEARCH
        _libc.capset(header, sets)


def _refused(directory: Path, owner: int) -> StateDirectoryError:
    name = user_name(owner)
    return StateDirectoryError(
        f"{directory} belongs to {name}. Root works there with the rights of that user, and can't have them here, as "
        f"in a container that knows no such user. Run this as {name}."
    )
