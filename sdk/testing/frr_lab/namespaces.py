"""Which namespaces the lab can have here: root's, a user's own, or none, with the reason."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where to find the programs, even for users without `/usr/sbin` in their PATH."""

_NEEDED: Final = {
    "/usr/lib/frr/zebra": "frr",
    "/usr/bin/vtysh": "frr",
    "/usr/sbin/sshd": "openssh-server",
    "/usr/sbin/lldpd": "lldpd",
    "/usr/sbin/ip": "iproute2",
}
_ALL_PACKAGES: Final = "frr openssh-server lldpd iproute2 iputils-ping"
_OWN: Final = (
    "unshare",
    "--mount",
    "--net",
    "--uts",
    "--ipc",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)
# A range of users, as in /etc/subuid: FRR, lldpd and sshd each run as their own user.
_AS_USER: Final = ("--user", "--map-root-user", "--map-auto")
_TRY: Final = (
    "mount -t tmpfs tmpfs /run && ip link add test1 type veth peer name test2 && ip link add test3 type bridge"
    " && ip netns add test && chown 60901:60901 /run"
)
_TRY_SECONDS: Final = 20


@cache
def why_not() -> str:
    """Return why a lab of FRR is impossible on this machine, and what to do; empty if it is possible."""
    if missing := sorted({package for file, package in _NEEDED.items() if not Path(file).exists()}):
        return (
            f"The lab of FRR needs Debian's packages {_ALL_PACKAGES}. Missing: {' '.join(missing)}. "
            f"Install them with: apt-get install --no-install-recommends {_ALL_PACKAGES}"
        )
    reasons = [reason for form in _forms() if (reason := _refusal(form))]
    if len(reasons) < len(_forms()):
        return ""
    advice = "" if os.geteuid() == 0 else _ADVICE_TO_USERS
    return f"The lab of FRR needs network namespaces, and this machine refuses them: {'; '.join(reasons)}.{advice}"


_ADVICE_TO_USERS: Final = (
    " As a user you need Debian's package uidmap, and a range of user ids in /etc/subuid and /etc/subgid."
)


def namespaces() -> tuple[str, ...]:
    """Return the command that makes them and runs the command after it. Only if `why_not()` is empty."""
    return next(form for form in _forms() if not _refusal(form))


def _forms() -> tuple[tuple[str, ...], ...]:
    return (_OWN,) if os.geteuid() == 0 else ((*_OWN, *_AS_USER),)


@cache
def _refusal(form: tuple[str, ...]) -> str:
    """Why these namespaces are not available; empty if they are."""
    try:
        done = subprocess.run(  # noqa: S603  # our own words
            [*form, "sh", "-c", _TRY],
            capture_output=True,
            text=True,
            timeout=_TRY_SECONDS,
            env={"PATH": PATH},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"
