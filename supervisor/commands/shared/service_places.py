"""Where the shipped units have their directories: a person's shell has none of the variables that name them."""

from pathlib import Path
from typing import Final

RUNTIME: Final = Path("/run")
STATE: Final = Path("/var/lib")
_NAMES: Final = ("neops-supervisor", "neops-supervisor-*", "neops-local")
"""What `supervisor deploy unit` has in RuntimeDirectory and StateDirectory: plain, --instance (its name), --local."""


def service_runtime_directories() -> list[Path]:
    """Return the runtime directories of services that are there; the plain unit's in any case, and first."""
    return _found_in(RUNTIME)


def service_state_directories() -> list[Path]:
    """Return the state directories of services that are there; the plain unit's in any case, and first."""
    return _found_in(STATE)


def runtime_directory_of(state_dir: Path) -> Path | None:
    """Return the runtime directory of the service that has this state directory, `None` where it is no service's."""
    is_named = any(state_dir.match(name) for name in _NAMES)
    return RUNTIME / state_dir.name if state_dir.parent == STATE and is_named else None


def _found_in(base: Path) -> list[Path]:
    found = [each for name in _NAMES for each in sorted(base.glob(name))]
    return list(dict.fromkeys([base / _NAMES[0], *found]))
