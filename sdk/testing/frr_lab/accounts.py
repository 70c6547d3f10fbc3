"""The accounts of the lab: files that replace the machine's `/etc/passwd`, only in the lab's namespaces."""

from __future__ import annotations

import ctypes
import secrets
from dataclasses import dataclass
from typing import Final

BASH_USER: Final = "netop"
"""The account whose login is a shell, as on a Linux router."""

VTYSH_USER: Final = "vty"
"""The account whose login is FRR's command line, as on a classic router."""

PAM_OF_VTYSH: Final = "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n"
"""Who may start vtysh: everybody. The group `frrvty` decides whether vtysh may do anything."""

_SCHEME: Final = "$6$rounds=1000$"  # SHA-512: every libcrypt has it. Few rounds: a lab lives for minutes.


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    number: int
    home: str
    shell: str


# Numbers that Debian leaves free, below the 65536 that a user gets for own namespaces (subuid(5)).
_ACCOUNTS: Final = (
    _Account("root", 0, "/root", "/bin/bash"),
    _Account(BASH_USER, 60901, f"/run/home/{BASH_USER}", "/bin/bash"),
    _Account(VTYSH_USER, 60902, f"/run/home/{VTYSH_USER}", "/usr/bin/vtysh"),
    _Account("frr", 60903, "/nonexistent", "/usr/sbin/nologin"),
    _Account("sshd", 60904, "/run/sshd", "/usr/sbin/nologin"),
    _Account("_lldpd", 60905, "/run/lldpd", "/usr/sbin/nologin"),
)
_MAY_LOG_IN: Final = (BASH_USER, VTYSH_USER)
# frrvty may use vtysh, frr may save the configuration, _lldpd may ask lldpd.
_FURTHER_MEMBERS: Final = {"frr": _MAY_LOG_IN, "_lldpd": _MAY_LOG_IN}
_VTY_GROUP: Final = 60911


def passwd() -> str:
    """Return the text of `/etc/passwd`."""
    return "".join(f"{a.name}:x:{a.number}:{a.number}::{a.home}:{a.shell}\n" for a in _ACCOUNTS)


def group() -> str:
    """Return the text of `/etc/group`."""
    lines = [f"{a.name}:x:{a.number}:{','.join(_FURTHER_MEMBERS.get(a.name, ()))}" for a in _ACCOUNTS]
    lines += [f"frrvty:x:{_VTY_GROUP}:{','.join((*_MAY_LOG_IN, 'frr'))}", "tty:x:5:", "nogroup:x:65534:"]
    return "\n".join(lines) + "\n"


def shadow(password: str) -> str:
    """Return the text of `/etc/shadow`: all accounts that may log in have this password.

    Raises `OSError` if the system's libcrypt is missing.
    """
    hashed = _hash(password)
    return "".join(f"{a.name}:{hashed if a.name in _MAY_LOG_IN else '*'}:20000::::::\n" for a in _ACCOUNTS)


def _hash(password: str) -> str:
    # Python 3.13 has no `crypt` any more, and sshd checks with this same library.
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    library.crypt.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
    hashed = library.crypt(password.encode(), (_SCHEME + secrets.token_hex(8)).encode())
    if not hashed or not hashed.startswith(b"$6$"):
        raise OSError("the system's libcrypt can't make a hash of a password (SHA-512)")
    return str(hashed.decode())
