"""The keeper of this process, and what the keeper must remove after it: all that the two share after the fork."""

import os
from pathlib import Path
from typing import Final

from supervisor.process.notification_relay import NotificationRelay, NotificationSender
from supervisor.process.systemd import Systemd

KEEPER_NAME: Final = "neops-keeper"
"""The name of a keeper in `ps`. By it the control socket recognises what a job of any worker here has started."""

_keeper: int | None = None
_cgroups: int | None = None
"""Anonymous memory that both processes share. The supervisor writes there what the keeper must remove after it."""


_relay: NotificationRelay | None = None
_sender: NotificationSender | None = None


def share() -> None:
    """Make what both processes will share. The keeper calls it before the fork.

    After this the environment does not show any more where systemd listens.
    """
    global _cgroups, _relay
    _cgroups = os.memfd_create("neops-cgroups", os.MFD_CLOEXEC)
    systemd = Systemd.from_environment()
    _relay = NotificationRelay(systemd) if systemd else None


def be_kept_by(keeper: int) -> None:
    """Remember the keeper. The child calls it after the fork."""
    global _keeper, _relay, _sender
    _keeper = keeper
    if _relay is not None:
        _sender = _relay.supervisors_end()
        _relay = None


def relay() -> NotificationRelay | None:
    """Return the keeper's relay, which passes the supervisor's messages to systemd; `None` if no systemd listens."""
    return _relay


def sender() -> NotificationSender | None:
    """Return the supervisor's sender for messages to systemd; `None` without a keeper, or if no systemd listens."""
    return _sender


def keeper_pid() -> int | None:
    """Return the pid of this process's keeper, `None` if there is none."""
    return _keeper


def leave_to_keeper(cgroups: list[Path]) -> None:
    """Name the directories that the keeper must remove if this process does not get to it."""
    if _cgroups is not None:
        os.ftruncate(_cgroups, 0)
        os.pwrite(_cgroups, b"\0".join(os.fsencode(path) for path in cgroups), 0)


def left_to_keeper() -> list[Path]:
    """Return the directories that were last named."""
    if _cgroups is None:
        return []
    return [Path(os.fsdecode(path)) for path in os.pread(_cgroups, 2**16, 0).split(b"\0") if path]
