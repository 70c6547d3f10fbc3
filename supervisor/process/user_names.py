"""How messages name a user, and whom they name for a path that this user may not use."""

import os
import pwd
from pathlib import Path


def user_name(uid: int) -> str:
    """Return a user's name, or the number if there is no name."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


def who_may_use(what: str, path: Path) -> str:
    """Say that this user may not use a file or directory, who owns it, and who may."""
    owners = (uid for each in (path, *path.parents) if (uid := _owner(each)) is not None)
    owner = next((f" It belongs to {user_name(uid)}." for uid in owners), "")
    return f"You ({user_name(os.geteuid())}) may not use {what} {path}.{owner} Run this as its owner, or as root."


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:  # it is below a closed directory: the owner of that directory may
        return None
