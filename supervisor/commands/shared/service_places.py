"""The directories of the shipped units. A person's shell has no variables that name them."""

from pathlib import Path
from typing import Final

RUNTIME: Final = Path("/run")
STATE: Final = Path("/var/lib")
_PRIVATE: Final = "private"
"""Where systemd really keeps the state of a user that exists only while the service runs (DynamicUser=)."""
_NAMES: Final = ("neops-supervisor", "neops-supervisor-*", "neops-local")
"""The RuntimeDirectory and StateDirectory in `supervisor deploy unit`: plain, --instance (its name), --local."""


def service_runtime_directories() -> list[Path]:
    """Return the existing runtime directories of services. The plain unit's is always in the list, and first."""
    return _found_in(RUNTIME)


def service_state_directories() -> list[Path]:
    """Return the existing state directories of services. The plain unit's is always in the list, and first."""
    return _found_in(STATE)


def runtime_directory_of(state_dir: Path) -> Path | None:
    """Return the runtime directory of the service with this state directory, `None` if it is not a service's."""
    name = _service_of(state_dir)
    return None if name is None else RUNTIME / name


def unit_with(state_dir: Path) -> str | None:
    """Return the unit of the service with this state directory, `None` if it is not a service's."""
    name = _service_of(state_dir)
    if name is None:
        return None
    plain, instance = _NAMES[0], name.removeprefix(f"{_NAMES[0]}-")
    return f"{name}.service" if instance == name else f"{plain}@{instance}.service"


def _service_of(state_dir: Path) -> str | None:
    """Return the name of the service whose directory is this one, or the one above.

    A worker of `supervisor local` has a part of the service's directory.
    """
    for place in (state_dir, state_dir.parent):
        if place.parent in (STATE, STATE / _PRIVATE) and any(map(place.match, _NAMES)):
            return place.name
    return None


def _found_in(base: Path) -> list[Path]:
    found = [each for name in _NAMES for each in sorted(base.glob(name))]
    return list(dict.fromkeys([base / _NAMES[0], *found]))
