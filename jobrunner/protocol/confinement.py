"""What a child may use, and as which user it runs. The supervisor decides, and the child applies it at its start."""

import struct
from dataclasses import dataclass
from typing import Final

_RECORD: Final = struct.Struct("=4q")
_NONE: Final = -1
_HIGHEST: Final = 2**63 - 1

PACKED_BYTES: Final = _RECORD.size


@dataclass(frozen=True, slots=True)
class Confinement:
    """The limits and the user of one child. `None` means no limit, or the supervisor's own user."""

    max_open_files: int | None = None
    max_file_mb: int | None = None
    max_processes: int | None = None
    """The kernel enforces it only together with `user`: it counts all processes of a user."""
    user: int | None = None
    """The number of the user and of its group; no account needs to exist."""

    def pack(self) -> bytes:
        """Return it as a record of `PACKED_BYTES`. A limit that the kernel can't count becomes the highest one."""
        numbers = (self.max_open_files, self.max_file_mb, self.max_processes, self.user)
        return _RECORD.pack(*(_NONE if number is None else min(number, _HIGHEST) for number in numbers))

    @classmethod
    def unpack(cls, record: bytes) -> "Confinement":
        """Read what `pack` wrote."""
        return cls(*(None if number == _NONE else number for number in _RECORD.unpack(record)))
