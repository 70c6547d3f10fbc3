"""The socket in the file system: made if no other worker has one, removed at the end. Blocks with the disk."""

import contextlib
import errno
import fcntl
import os
import socket
import stat
from pathlib import Path
from typing import Final

from supervisor.errors import SupervisorError
from supervisor.worker.control_socket.group import why_closed, why_not_given
from supervisor.worker.control_socket.place import SECRET, SOCKET, address_in
from supervisor.worker.control_socket.secret import Secret

BACKLOG: Final = 1024
"""How many clients may wait: enough for others if a job asks in all its threads. It takes no memory if unused."""

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class ControlPlaceError(SupervisorError):
    """There can't be a control socket in this directory. The message names it and says what to do."""

    retryable = True


class Listening:
    """A listening socket, the secret beside it, and the directory, held open and locked, until `close`.

    `group` is the group that it was given to. `closed_to_group` says why members of the wanted group can't reach it.
    """

    def __init__(
        self, path: Path, listener: socket.socket, secret: Secret, directory: int, group: int | None
    ) -> None:
        self.path = path
        self.listener = listener
        self.group = group
        self.closed_to_group: str | None = None
        self.secret = secret
        self._directory = directory
        self._inode = _inode_in(directory)

    @property
    def is_in_place(self) -> bool:
        """Whether a client that looks at the path finds this socket."""
        try:
            found = os.stat(self.path / SOCKET, follow_symlinks=False)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._inode

    def close(self) -> None:
        """Remove both, and release the directory for another worker. Never removes another worker's socket."""
        self.listener.close()
        if _inode_in(self._directory) == self._inode:
            for name in (SOCKET, SECRET):
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=self._directory)
        os.close(self._directory)


def listen_in(path: Path, group: int | None = None) -> Listening:
    """Listen in this directory; make it if it does not exist. Replaces a dead worker's socket.

    Members of `group` may connect too. If they can't get access, the socket is only for root and the worker's user, and
    `closed_to_group` says why. Raises `ControlPlaceError`; then a living worker's socket is untouched.
    """
    try:
        is_made = _made(path)
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(path, f"{error.strerror}.") from error
    try:
        _refuse_strangers(path, directory)
        _refuse_the_living(path, directory)
        return _listen_for(path, directory, group, is_made=is_made)
    except OSError as error:
        os.close(directory)
        raise _unusable(path, f"{error.strerror}.") from error
    except BaseException:
        os.close(directory)
        raise


def _made(path: Path) -> bool:
    """Make this directory. Returns whether it is new. Raises `OSError`."""
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return False
    return True


def _listen_for(path: Path, directory: int, group: int | None, *, is_made: bool) -> Listening:
    secret = Secret()
    closed = None if group is None else _why_not_given(directory, secret, group, is_made=is_made)
    if closed is not None:
        group = None
    if group is None:
        secret.write(directory, None)
    listening = _listen(path, directory, secret, group)
    listening.closed_to_group = closed if group is None else why_closed(path, group)
    return listening


def _why_not_given(directory: int, secret: Secret, group: int, *, is_made: bool) -> str | None:
    """Write the secret for the group too, and let the group enter a directory made for it. Returns why that fails."""
    try:
        secret.write(directory, group)
        if is_made:
            os.fchown(directory, -1, group)
            os.fchmod(directory, 0o750)
    except OSError as error:
        reason = why_not_given(error)
        if reason is None:
            raise
        return reason
    return None


def _listen(path: Path, directory: int, secret: Secret, group: int | None) -> Listening:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCKET, dir_fd=directory)
        listener.bind(address_in(directory))
        # Nobody can connect before `listen`, whatever mode the umask has made.
        os.chmod(SOCKET, 0o600, dir_fd=directory)
        if group is not None:
            os.chown(SOCKET, -1, group, dir_fd=directory)
            os.chmod(SOCKET, 0o660, dir_fd=directory)
        listener.listen(BACKLOG)
        return Listening(path, listener, secret, directory, group)
    except BaseException:
        listener.close()
        raise


def _refuse_strangers(path: Path, directory: int) -> None:
    status = os.fstat(directory)
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & _OTHERS_WRITE:
        raise _unusable(path, "others than the worker's user could replace what is in it.")


def _refuse_the_living(path: Path, directory: int) -> None:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _unusable(path, "another worker has its control socket there.") from None
    except OSError:  # this file system can't lock directories
        if _answers(directory):
            raise _unusable(path, "another worker has its control socket there.") from None


def _answers(directory: int) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        return probe.connect_ex(address_in(directory)) in (0, errno.EAGAIN, errno.EACCES)


def _inode_in(directory: int) -> tuple[int, int] | None:
    try:
        found = os.stat(SOCKET, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _unusable(path: Path, reason: str) -> ControlPlaceError:
    return ControlPlaceError(
        f"There is no control socket in {path}: {reason} Give this worker a directory of its own with --runtime-dir."
    )
