"""What a child may take and as whom it runs. Decided by the supervisor, applied by the child at its start."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Confinement:
    """The limits and the user of one child. `None` is no limit, and the supervisor's own user."""

    max_open_files: int | None = None
    max_file_mb: int | None = None
    max_processes: int | None = None
    """Enforced by the kernel only together with `user`: it counts per user, over all that this user runs."""
    user: int | None = None
    """The number of the user and of its group; no account has to exist."""

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Confinement":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
