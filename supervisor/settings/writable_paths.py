"""`--writable-paths`: what jobs may write inside of a closed or read-only directory. Follows links."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jobrunner.protocol.isolation import is_at_or_below
from supervisor.settings.marks import closed_by_a_command

CLOSED: Final = {
    "state_dir": "the worker's state directory",
    "runtime_dir": "the directory of the worker's control socket",
    "engine_token_file": "the token for the engine",
    "health_token_file": "the token for the metrics",
    "engine_client_certificate": "the worker's certificate",
    "engine_client_key": "the worker's key",
    "known_hosts": "the known host keys",
}
"""The settings whose files no job may reach, and what these files are."""


def opens_what_is_closed(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each writable path that is a path that jobs must not reach, or is inside of one."""
    closed = [(str(values[name]), what) for name, what in CLOSED.items() if _is_path(values.get(name))]
    closed += [(path, "what the command keeps that runs this worker") for path in closed_by_a_command()]
    for given in values.get("writable_paths") or ():
        real = os.path.realpath(given)
        for path, what in closed:
            if is_at_or_below(real, os.path.realpath(path)):
                yield f"--writable-paths {given} would let jobs write {what} ({path}). Take it out"
                break


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike) and bool(str(value))
