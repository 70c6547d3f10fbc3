"""What this machine lets the tests do: found out by trying, once in each process, with the reason where it is refused.

A test says what it needs by `@pytest.mark.needs("mounts")`, a fixture by `need("mounts")`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import pytest

PATIENCE_SECONDS: Final = 120
NOBODY: Final = 65534
# Jobs get users of this height (tests/jobusers). A container may have been given fewer.
_HIGH_USER: Final = 3_000_000_000
_AS_ROOT: Final = ("unshare", "--mount", "--propagation", "private")
# The kernel may let anybody be root in a namespace of his own, and mount there.
_AS_MAPPED_ROOT: Final = ("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private")


def need(*names: str) -> None:
    """Skip the test that calls this where one of these is refused. The names are those of the checks below."""
    for name in names:
        if reason := lacking(name):
            pytest.skip(reason)


@cache
def lacking(name: str) -> str:
    """Why what is called `name` can't be had here; empty where it can."""
    return _CHECKS[name]()


def mounting(script: str) -> tuple[str, ...]:
    """What a command begins with that runs behind `script`, and alone sees what that mounts."""
    need("mounts")
    return (*_namespace(), "sh", "-c", f'{script} && exec "$@"', "sh")


def entering(pid: int) -> tuple[str, ...]:
    """What a command begins with that sees the mounts of `pid`, a process that `mounting` has begun."""
    users = () if _namespace() == _AS_ROOT else ("--user", "--preserve-credentials")
    return ("nsenter", f"--target={pid}", *users, "--mount")


@cache
def _namespace() -> tuple[str, ...]:
    """The command that makes a mount namespace in which something can be mounted; empty if none does."""
    return next((command for command in (_AS_ROOT, _AS_MAPPED_ROOT) if not _refusal_to_mount(command)), ())


def _refusal(*command: str) -> str:
    """What a command says that fails; empty if it does not fail."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return done.stderr.strip() or f"{command[0]} ended with {done.returncode}"


def _refusal_to_mount(command: tuple[str, ...]) -> str:
    with tempfile.TemporaryDirectory() as place:
        return _refusal(*command, "mount", "-t", "tmpfs", "tmpfs", place)


def _no_mounts() -> str:
    return "" if _namespace() else f"nothing can be mounted here: {_refusal_to_mount(_AS_ROOT)}"


def _no_mounts_of_root() -> str:
    refusal = _refusal_to_mount(_AS_ROOT)
    return f"nothing can be mounted here without a change of user: {refusal}" if refusal else ""


def _no_other_users() -> str:
    """Files are given to others and looked at, and processes become others: root may, unless it has no capabilities."""
    with tempfile.TemporaryDirectory() as place:
        for user in (NOBODY, _HIGH_USER):
            theirs = Path(place) / str(user)
            try:
                theirs.mkdir(mode=0o700)
                os.chown(theirs, user, user)
                os.listdir(theirs)
            except OSError as error:
                return f"files of others can't be made or read here: {error.strerror}"
            command = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "true")
            if refusal := _refusal(*command):
                return f"no process can become another user here: {refusal}"
    return ""


def _no_write_protection() -> str:
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o500)
        try:
            (Path(place) / "file").touch()
        except PermissionError:
            return ""
    return "this process may write anywhere"


def _no_real_time_priority() -> str:
    refusal = _refusal("chrt", "--rr", "1", "true")
    return f"no process can have real-time priority here: {refusal}" if refusal else ""


def _no_ping() -> str:
    if shutil.which("ping") is None:
        return "the program ping is not installed (Debian package iputils-ping)"
    refusal = _refusal("ping", "-c", "1", "-W", "20", "127.0.0.1")
    return f"no ping can be sent here: {refusal}" if refusal else ""


def _no_frr_lab() -> str:
    from sdk.testing.frr_lab import why_not  # not at the top: this module is for tests of everything else too

    return why_not()


def _no_uidmap() -> str:
    if shutil.which("newuidmap") is None:
        return "the program newuidmap is not installed (Debian package uidmap)"
    missing = [file for file in ("/etc/subuid", "/etc/subgid") if not Path(file).exists()]
    return f"there is no {' and no '.join(missing)}: no user has a range of further users" if missing else ""


_CHECKS: Final[dict[str, Callable[[], str]]] = {
    "mounts": _no_mounts,
    "mounts of root": _no_mounts_of_root,
    "other users": _no_other_users,
    "write protection": _no_write_protection,
    "real-time priority": _no_real_time_priority,
    "ping": _no_ping,
    "frr lab": _no_frr_lab,
    "uidmap": _no_uidmap,
}
