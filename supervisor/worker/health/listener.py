"""The socket for the health: on the loopback, or in the file system. Blocks with the disk."""

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final, Self

from supervisor.errors import StartRefusedError
from supervisor.settings.health_address import HealthAddress, LoopbackAddress
from supervisor.worker.control_socket.group import why_closed, why_not_given

BACKLOG: Final = 128
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class Listener:
    """A listening socket, until `close`. `path` is its path in the file system, if it has one.

    `group` is the group that it was given to. `closed_to_group` says why members of the wanted group can't reach it.
    """

    def __init__(self, bound: socket.socket, path: Path | None = None) -> None:
        self.socket = bound
        self.path = path
        self.group: int | None = None
        self.closed_to_group: str | None = None
        self._inode = None if path is None else _inode(path)

    @classmethod
    def on(cls, address: HealthAddress, group: int | None = None) -> Self:
        """Listen at this address. Members of `group` may connect to a Unix socket too.

        If they can't get access, the socket is only for root and the worker's user, and `closed_to_group` says why.
        Raises `StartRefusedError` if there can be no socket.
        """
        try:
            if isinstance(address, LoopbackAddress):
                return cls(_on_port(address))
            return cls(_on_path(address), address)._given_to(group, address)
        except OSError as error:
            advice = _ADVICE if error.errno == errno.EADDRINUSE else "Give another --health-address."
            raise _refused(address, _why(error), advice) from error

    def _given_to(self, group: int | None, path: Path) -> Self:
        if group is None:
            return self
        try:
            os.chown(path, -1, group)
            path.chmod(0o660)
        except OSError as error:
            self.closed_to_group = why_not_given(error)
            if self.closed_to_group is None:
                self.close()
                raise
        else:
            self.group = group
            self.closed_to_group = why_closed(path.parent, group, "--health-address")
        return self

    @property
    def address(self) -> str:
        """Its address, with the port that it got."""
        if self.path is not None:
            return str(self.path)
        host, port = self.socket.getsockname()[:2]
        return str(LoopbackAddress(host, port))

    def close(self) -> None:
        """Close it, and remove it from the file system, unless another one is at its path by now."""
        self.socket.close()
        if self.path is not None and self._inode is not None and _inode(self.path) == self._inode:
            with contextlib.suppress(OSError):
                self.path.unlink()


_ADVICE: Final = "Stop what uses it, or give another --health-address."


def _on_port(address: LoopbackAddress) -> socket.socket:
    family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        # Connections of the worker before this one may not have ended yet (tcp(7), TIME_WAIT).
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen(BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


def _on_path(path: Path) -> socket.socket:
    if not path.parent.is_dir():
        what = f"there is no directory {path.parent}."
        raise _refused(path, what, "Create it, or name a socket in another directory.")
    directory = path.parent.stat()
    if directory.st_uid not in (0, os.geteuid()) or directory.st_mode & _OTHERS_WRITE:
        what = f"others than the worker's user could replace what is in {path.parent}."
        raise _refused(path, what, "Name a socket in a directory that only the worker's user can write.")
    _remove_dead(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        bound.bind(str(path))
        # Nobody can connect before `listen`, whatever mode the umask has made.
        path.chmod(0o600)
        bound.listen(BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


def _remove_dead(path: Path) -> None:
    """Remove the socket of a process that is gone. Doesn't touch a living process's socket, or another file."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise _refused(path, "something that is no socket lies there.", "Remove it, or give another path.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise _refused(path, "another process listens on this socket.", _ADVICE)
    path.unlink()


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process uses this port."
    return f"{error.strerror}."


def _refused(address: HealthAddress, what: str, advice: str) -> StartRefusedError:
    return StartRefusedError(f"The worker's health can't be served on {address}: {what} {advice}")


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
