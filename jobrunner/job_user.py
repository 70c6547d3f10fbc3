"""Becomes a user that owns nothing but this job."""

import ctypes
import os
import struct
from typing import Final

from jobrunner.keyrings import clear_keys_of_user
from jobrunner.protocol import linux

# <linux/capability.h>
_VERSION_3: Final = 0x20080522
_NET_RAW: Final = 1 << 13
_OF_THE_NETWORK: Final = 0b1111 << 10
"""To use low ports, to send to everybody, to configure interfaces, and raw sockets: a unit gives them to blocks."""

_Held = ctypes.c_char * 24
"""Two blocks of 32 capabilities each: effective, permitted, inheritable. A class, made once for all children."""

_libc = ctypes.CDLL(None, use_errno=True)


def become_user(user: int) -> None:
    """Become `user` for good, with the group of the same number and no other.

    This clears PDEATHSIG (prctl(2)): set it again. Raises `OSError` if this process may not change its user.
    """
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    clear_keys_of_user()
    _drop_capabilities()
    # The kernel has made this process undumpable, so root owns everything in /proc/self, and a block could not list its
    # own descriptors. If it is dumpable, only processes of this user get in, and that is this job itself.
    linux.allow_inspection()


def keep_only_the_network_s_capabilities() -> None:
    """Drop all capabilities except those for the network, unless this user is root.

    With another one, a job could come before the worker at each processor (CAP_SYS_NICE), or become root (CAP_SETUID).
    Raises `OSError`.
    """
    if os.geteuid() != 0:
        _drop_capabilities(_OF_THE_NETWORK)


def _drop_capabilities(kept: int = _NET_RAW) -> None:
    """Drop every capability, except those that a unit may give to blocks on purpose (raw sockets for ping).

    The kernel does so itself only if root becomes another user. A supervisor that is not root, but was given
    capabilities (AmbientCapabilities), passes them to its children.
    """
    header = struct.pack("Ii", _VERSION_3, 0)
    held = _Held()
    _check(_libc.capget(header, held))
    before = struct.unpack("6I", held.raw)
    after = (*(one & kept for one in before[:3]), 0, 0, 0)
    # The ambient set follows: it is always a part of permitted and inheritable (capabilities(7)).
    if after != before:
        _check(_libc.capset(header, struct.pack("6I", *after)))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capabilities: {os.strerror(number)}")
