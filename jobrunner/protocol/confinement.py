"""What a child may take and as whom it runs. Decided by the supervisor, applied by the child at its start."""

import struct
from dataclasses import dataclass
from typing import Final

_RECORD: Final = struct.Struct("=4q")
_NONE: Final = -1
_HIGHEST: Final = 2**63 - 1

PACKED_BYTES: Final = _RECORD.size


@dataclass(frozen=True, slots=True)
class Confinement:
    """The limits and the user of one child. `None` is no limit, and the supervisor's own user."""

    max_open_files: int | None = None
    max_file_mb: int | None = None
    max_processes: int | None = None
    """Enforced by the kernel only together with `user`: it counts per user, over all that this user runs."""
    user: int | None = None
    """The number of the user and of its group; no account has to exist."""

    def pack(self) -> bytes:
        """Return it as a record of `PACKED_BYTES`. A limit beyond what the kernel can count is the highest one."""
        numbers = (self.max_open_files, self.max_file_mb, self.max_processes, self.user)
        return _RECORD.pack(*(_NONE if number is None else min(number, _HIGHEST) for number in numbers))

    @classmethod
    def unpack(cls, record: bytes) -> "Confinement":
        """Read what `pack` wrote."""
        return cls(*(None if number == _NONE else number for number in _RECORD.unpack(record)))
