"""Whether a state directory is in its old place, or may be a copy (docs/adr/0025). Pure."""

from dataclasses import dataclass, replace
from typing import Final

RECORD_UNREADABLE: Final = "the file that says where this directory belongs can't be read"
RECORD_MISSING: Final = (
    "the file that says where this directory belongs is missing, though the journal had one"
)
JOURNAL_OF_ANOTHER: Final = "the journal belongs to another state directory"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a state directory is. `None` or empty is unknown.

    `born_ns` is when the directory was made, `volume` a number that its file system keeps over reboots, and
    `device` the number of its disk under this `boot_id`. Of the machine there are only digests.
    """

    inode: int
    born_ns: int | None = None
    volume: int | None = None
    device: int | None = None
    boot_id: str | None = None
    machine_id: str | None = None
    hardware_id: str | None = None
    addresses: frozenset[str] = frozenset()


def why_in_doubt(recorded: Place, now: Place) -> str | None:
    """Return why the directory may be a copy of the recorded one, or `None` if it is the same.

    It compares what a copy can't have (the directory's inode and its birth, the volume), and what a clone of the whole
    disk should not have (machine-id, hardware). A value that is unknown now or then decides nothing. The exception is a
    machine-id that is gone: an image prepared for many machines has none.
    """
    if recorded.inode != now.inode or _differ(recorded.born_ns, now.born_ns):
        return "it is another directory than the one that the worker was registered in: a copy, or restored"
    if _differ(recorded.volume, now.volume):
        return "it is on another file system than before, or on a snapshot of it"
    if recorded.machine_id is not None and recorded.machine_id != now.machine_id:
        return "the machine-id is another one, or is gone: the machine or its disk may be a clone"
    if _differ(recorded.hardware_id, now.hardware_id):
        return "the machine's hardware id is another one: this machine may be a clone"
    if recorded.addresses and now.addresses and not recorded.addresses & now.addresses:
        return "none of the machine's network devices is the same: this machine may be a clone"
    if _is_other_disk(recorded, now):
        return (
            "it is on another disk than a moment ago, with the same content: a snapshot or a copy of the disk"
        )
    return None


def refreshed(recorded: Place, now: Place) -> Place:
    """Return the record for a directory that is in its old place: known values of now, and of before.

    A worker that once runs as root knows more than as its own user.
    """
    return replace(
        now,
        born_ns=now.born_ns or recorded.born_ns,
        volume=now.volume or recorded.volume,
        machine_id=now.machine_id or recorded.machine_id,
        hardware_id=now.hardware_id or recorded.hardware_id,
        addresses=now.addresses or recorded.addresses,
    )


def stable_volume(fsid: int, device: int) -> int | None:
    """Return the file system's own number, or `None` if it has none, or only the device's (XFS)."""
    return None if fsid in (0, device) else fsid


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _is_other_disk(recorded: Place, now: Place) -> bool:
    """Whether the same boot shows the same directory on two disks. Disk numbers mean nothing after a reboot."""
    return _same(recorded.boot_id, now.boot_id) and _differ(recorded.device, now.device)


def _same(one: object, other: object) -> bool:
    return one is not None and one == other
