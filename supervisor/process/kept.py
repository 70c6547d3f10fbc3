"""Who keeps this process, and what is left to that keeper to remove: all that the two have in common after the fork."""

import os
from pathlib import Path
from typing import Final

from supervisor.process.notification_relay import NotificationRelay, NotificationSender
from supervisor.process.systemd import Systemd

KEEPER_NAME: Final = "neops-keeper"
"""What `ps` shows of a keeper. The control socket knows by it what a job of any worker of this machine has started."""

_keeper: int | None = None
_cgroups: int | None = None
"""Anonymous memory that both processes have: there the supervisor writes what the keeper has to remove after it."""


_relay: NotificationRelay | None = None
_sender: NotificationSender | None = None


def share() -> None:
    """Make what both will have. To be called by the keeper, before the fork.

    From here on the environment does not say any more where systemd listens.
    """
    global _cgroups, _relay
    _cgroups = os.memfd_create("neops-cgroups", os.MFD_CLOEXEC)
    systemd = Systemd.from_environment()
    _relay = NotificationRelay(systemd) if systemd else None


def be_kept_by(keeper: int) -> None:
    """Remember the keeper. To be called in the child, after the fork."""
    global _keeper, _relay, _sender
    _keeper = keeper
    if _relay is not None:
        _sender = _relay.supervisors_end()
        _relay = None


def relay() -> NotificationRelay | None:
    """Return what passes the supervisor's words on to systemd, in the keeper; `None` where no systemd listens."""
    return _relay


def sender() -> NotificationSender | None:
    """Return by what the supervisor speaks to systemd; `None` where there is no keeper, or no systemd listens."""
    return _sender


def keeper_pid() -> int | None:
    """Return the keeper of this process, `None` where there is none."""
    return _keeper


def leave_to_keeper(cgroups: list[Path]) -> None:
    """Say which directories are to be removed if this process does not get to it itself."""
    if _cgroups is not None:
        os.ftruncate(_cgroups, 0)
        os.pwrite(_cgroups, b"\0".join(os.fsencode(path) for path in cgroups), 0)


def left_to_keeper() -> list[Path]:
    """Return the directories that were last said."""
    if _cgroups is None:
        return []
    return [Path(os.fsdecode(path)) for path in os.pread(_cgroups, 2**16, 0).split(b"\0") if path]
