"""Variables that look like settings of this worker but are none: most likely misspelt, and without effect."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from supervisor.process.cgroups.identity import MARKER_VARIABLE
from supervisor.settings import env_file
from supervisor.settings.marks import AT_LEAST_INFO_VARIABLE, CLOSED_TO_JOBS_VARIABLE, MARK_VARIABLE
from supervisor.settings.places import in_environment, in_file
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings

_ALIKE: Final = 0.75
_MARKS: Final = {MARKER_VARIABLE, MARK_VARIABLE, AT_LEAST_INFO_VARIABLE, CLOSED_TO_JOBS_VARIABLE}
"""Not settings: this worker recognises its own processes by them."""


def unknown_variables() -> Iterator[str]:
    """Yield one message for each such variable of the environment and of `.env`. Names only, never values."""
    known = {ENV_PREFIX + name.upper() for name in DaemonSettings.model_fields} | _MARKS
    given: Mapping[str, object] = {**env_file.values(), **os.environ}
    return (unknown_variable(name, known) for name in sorted(given) if is_unknown(name, known))


def is_unknown(name: str, known: Iterable[str]) -> bool:
    """Whether a variable has our prefix but is not a setting. Case does not matter to settings."""
    return name.upper().startswith(ENV_PREFIX) and name.upper() not in set(known)


def unknown_variable(name: str, known: Iterable[str]) -> str:
    """Say what is wrong with this variable, and which setting has the most similar name."""
    import difflib  # only for a mistyped name; a worker does not need it

    closest = difflib.get_close_matches(name.upper(), list(known), n=1, cutoff=_ALIKE)
    advice = f"Did you mean {closest[0]}?" if closest else "`supervisor --help` lists the settings."
    place = in_environment(name) or in_file(name) or name
    return f"{place} is no setting of this worker, so it has no effect. {advice}"
