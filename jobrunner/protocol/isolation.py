"""How far a child is isolated from the rest of the machine. The supervisor decides, and the child applies it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

ABI_WITH_SIGNALS: Final = 6
"""The version of Landlock that keeps signals and connections to abstract Unix sockets inside a job (Linux 6.12)."""


def is_at_or_below(path: str, above: str) -> bool:
    """Whether `path` is `above`, or is below it. Both are absolute, and without links."""
    return path == above or path.startswith(above.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a child may read and write. It never gets more than its user may.

    The paths are absolute and resolved. For a file, the nearest path above it decides; a file below none is open.
    """

    closed: tuple[str, ...] = ()
    """Paths that it may neither read nor write."""
    read_only: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    """Paths that are open again, although something above is closed or read-only."""
    jobs_directory: str | None = None
    """Closed, except for the job's own directory, which comes with its order."""

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "FileRules":
        """Return them from their JSON form, which has lists in place of tuples."""
        return cls(
            closed=tuple(fields["closed"]),
            read_only=tuple(fields["read_only"]),
            writable=tuple(fields["writable"]),
            jobs_directory=fields["jobs_directory"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What the kernel is asked for. With the defaults, that is nothing more than what every child has."""

    landlock_abi: int = 0
    """Which version of Landlock isolates files, signals and abstract sockets (landlock(7)), 0 for none. Never above the
    kernel's version."""
    seccomp: bool = False
    new_session_keyring: bool = False
    contain_signals: bool = True
    """Whether signals to others are refused also without `landlock_abi`, and also to the template. If the kernel can't
    do it, they are not refused. Tests turn it off, to see what older kernels do."""
    files: FileRules = field(default_factory=FileRules)
    """They need Landlock: without it they have no effect."""

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Isolation":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**(fields | {"files": FileRules.from_fields(fields["files"])}))
