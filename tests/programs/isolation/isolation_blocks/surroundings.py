"""Attempts on what has no path and no process: keys, sockets, memory that is shared by a number."""

import ctypes
import os
import socket
from pathlib import Path

from .attempt import Targets, attempt
from .calls import call

_PROCESS, _SESSION, _USER = -2, -3, -4
_LINK, _SEARCH, _READ = 8, 10, 11
KEY = b"neops-isolation"


def _read_key(keyring: int) -> None:
    key = call("keyctl", _SEARCH, keyring, b"user", KEY, 0)
    held = ctypes.create_string_buffer(64)
    size = call("keyctl", _READ, key, held, 64)
    if held.raw[:size] != b"ticket":
        raise ValueError("something else was read")


@attempt
def session_keyring(to: Targets) -> None:
    _read_key(_SESSION)


@attempt
def user_keyring(to: Targets) -> None:
    """Who links it to a keyring of its own possesses all that is in it."""
    call("keyctl", _LINK, _USER, _PROCESS)
    _read_key(_USER)


def _connect(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as near:
        near.settimeout(5)
        near.connect(address)


@attempt
def worker_abstract_socket(to: Targets) -> None:
    _connect(f"\0{to.abstract}")


@attempt
def sibling_abstract_socket(to: Targets) -> None:
    _connect(f"\0{to.sibling_abstract}")


@attempt
def socket_file(to: Targets) -> None:
    _connect(to.socket)


@attempt
def own_abstract_socket(to: Targets) -> None:
    own = f"\0neops-isolation-own-{os.getpid()}"  # jobs of other workers try the same at this moment
    with socket.socket(socket.AF_UNIX) as far:
        far.bind(own)
        far.listen()
        _connect(own)


@attempt
def sibling_segment(to: Targets) -> None:
    """System V shared memory of another job, by its number."""
    call("shmat", to.sibling_segment, 0, 0o10000)


@attempt
def sibling_shared_memory_file(to: Targets) -> None:
    Path("/dev/shm", f"neops-isolation-{to.sibling}").read_bytes()
