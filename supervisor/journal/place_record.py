"""The file `place` in a state directory: it says where the directory belongs, so that a copy is recognised."""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from supervisor.lifecycle.place import (
    JOURNAL_OF_ANOTHER,
    RECORD_MISSING,
    RECORD_UNREADABLE,
    Place,
    refreshed,
    stable_volume,
    why_in_doubt,
)
from supervisor.process.birth_time import birth_time_ns
from supervisor.process.machine import Machine, this_machine
from supervisor.process.small_file import read_small_file, replace_file

FILE: Final = "place"
KEY_FACT: Final = "place_key"
"""The journal's fact with the key of its state directory."""

_VERSION: Final = 1

_Text = Annotated[str, Field(max_length=200)]


class _Record(BaseModel):
    """The file's content. Unknown fields come from a newer version."""

    model_config = ConfigDict(strict=True, extra="ignore")

    version: int = Field(ge=1)
    key: str = Field(pattern=r"^[0-9a-f]{32}$")
    inode: int
    born_ns: int | None = None
    volume: int | None = None
    device: int | None = None
    boot_id: _Text | None = None
    machine_id: _Text | None = None
    hardware_id: _Text | None = None
    addresses: list[_Text] = Field(default=[], max_length=10_000)


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """What the file says, and how this place looks now. `key` is random and belongs to the directory.

    `was_found`: there was a file. `doubt`: why this directory may be a copy of another one.
    """

    key: str
    now: Place
    was_found: bool
    doubt: str | None
    is_current: bool
    """Whether the file has all that is known now."""

    def of_journal(self, key: str | None) -> "PlaceRecord":
        """Return the same with the journal's key: of the directory in which it was made, if it has one."""
        if self.doubt is not None or key is None or key == self.key:
            return self
        return replace(self, doubt=JOURNAL_OF_ANOTHER if self.was_found else RECORD_MISSING)


def read_place(directory: Path, descriptor: int, machine: Machine | None = None) -> PlaceRecord:
    """Compare the file with this place. `descriptor` is the directory's own, locked.

    A directory without the file is new, or only an earlier version has used it: it belongs here. Raises `OSError`
    if the directory can't be looked at.
    """
    machine = this_machine() if machine is None else machine
    try:
        record = _Record.model_validate_json(read_small_file(directory / FILE))
    except FileNotFoundError:
        return new_place(descriptor, machine)
    except (OSError, ValidationError):
        return replace(new_place(descriptor, machine), was_found=True, doubt=RECORD_UNREADABLE)
    recorded = Place(
        **{**record.model_dump(exclude={"version", "key"}), "addresses": frozenset(record.addresses)}
    )
    now = place_of(descriptor, machine, record.key)
    if doubt := why_in_doubt(recorded, now):
        return PlaceRecord(record.key, now, was_found=True, doubt=doubt, is_current=False)
    known = refreshed(recorded, now)
    return PlaceRecord(record.key, known, was_found=True, doubt=None, is_current=known == recorded)


def new_place(descriptor: int, machine: Machine | None = None) -> PlaceRecord:
    """Return a record by which the directory belongs here, with a key that no copy has. Raises `OSError`."""
    key = secrets.token_hex(16)
    place = place_of(descriptor, this_machine() if machine is None else machine, key)
    return PlaceRecord(key, place, was_found=False, doubt=None, is_current=False)


def write_place(directory: Path, record: PlaceRecord) -> None:
    """Make the directory belong to this place. Blocks until it is on the disk. Raises `OSError`."""
    place = record.now
    content = {
        "version": _VERSION,
        "key": record.key,
        **{field.name: getattr(place, field.name) for field in fields(place)},
        "addresses": sorted(place.addresses),
    }
    replace_file(directory / FILE, json.dumps(content, indent=1).encode() + b"\n")


def place_of(descriptor: int, machine: Machine, key: str) -> Place:
    """Return how the place of an open directory looks now. Raises `OSError`."""
    status = os.fstat(descriptor)
    return Place(
        inode=status.st_ino,
        born_ns=birth_time_ns(descriptor),
        volume=stable_volume(os.fstatvfs(descriptor).f_fsid, status.st_dev),
        # A file system without its own disk (NFS, btrfs, overlay) gets another number at each mount. In a container,
        # volumes are often attached again.
        device=status.st_dev if os.major(status.st_dev) and not machine.is_container else None,
        boot_id=machine.boot_id,
        machine_id=_digest(key, machine.machine_id),
        hardware_id=_digest(key, machine.hardware_id),
        addresses=frozenset(digest for each in machine.addresses if (digest := _digest(key, each))),
    )


def _digest(key: str, text: str | None) -> str | None:
    # A machine-id is confidential: it must not be readable in files (machine-id(5)).
    if text is None:
        return None
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()[:32]
