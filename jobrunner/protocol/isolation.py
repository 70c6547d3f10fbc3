"""How far a child is kept apart from all else on the machine. Decided by the supervisor, applied by the child."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

ABI_WITH_SIGNALS: Final = 6
"""The version of Landlock that keeps signals, and connections to abstract Unix sockets, within a job (Linux 6.12)."""


def is_at_or_below(path: str, above: str) -> bool:
    """Whether `path` is `above`, or lies in it. Both are absolute, and without links."""
    return path == above or path.startswith(above.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a child may read and write, over what its user may anyway: never more than that.

    The paths are absolute and resolved. For a file the nearest one above it decides; what lies below none is open.
    """

    closed: tuple[str, ...] = ()
    """Neither read nor written."""
    read_only: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    """Open again, although something above is closed or read-only."""
    jobs_directory: str | None = None
    """Closed but for the job's own directory, which comes with its order."""

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "FileRules":
        """Return them from what JSON has made of them: it has lists in place of tuples."""
        return cls(
            closed=tuple(fields["closed"]),
            read_only=tuple(fields["read_only"]),
            writable=tuple(fields["writable"]),
            jobs_directory=fields["jobs_directory"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What the kernel is to be asked for. As it is made, that is nothing beyond what every child has."""

    landlock_abi: int = 0
    """Which version of Landlock keeps files, signals and abstract sockets apart (landlock(7)), 0 for none. Never above
    what the kernel has."""
    seccomp: bool = False
    new_session_keyring: bool = False
    contain_signals: bool = True
    """Whether signals to others are refused also without `landlock_abi`, and to the template. Where the kernel can't do
    that, nothing is: it is there to be taken away in tests of what older kernels do."""
    files: FileRules = field(default_factory=FileRules)
    """Needs Landlock: without it they say nothing."""

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Isolation":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**(fields | {"files": FileRules.from_fields(fields["files"])}))
