"""Which environment variables the template and the children get. All other variables are the supervisor's own."""

import contextlib
import os
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Final

from supervisor.process.cgroups.identity import MARKER_VARIABLE

_ALLOWED: Final = frozenset(
    {"PATH", "LANG", "LANGUAGE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", MARKER_VARIABLE}
)
_ALLOWED_PREFIXES: Final = ("LC_",)
_ALLOWED_SUFFIXES: Final = ("_PROXY",)


def job_environment(source: Mapping[str, str], extra_names: frozenset[str]) -> dict[str, str]:
    """Return the variables of `source` that jobs may see, with those named in `extra_names` (`--job-env`).

    The engine's token is not among them. The only password is one in a proxy's address.
    """
    return {
        name: value
        for name, value in source.items()
        if name in _ALLOWED
        or name in extra_names
        or name.startswith(_ALLOWED_PREFIXES)
        or name.upper().endswith(_ALLOWED_SUFFIXES)
    }


@contextlib.contextmanager
def starting_for_jobs(environment: Mapping[str, str]) -> Iterator[None]:
    """Start a `multiprocess` process with this environment, and without our main module: jobs should see neither.

    `multiprocess` passes on the whole environment, and the new process imports the parent's main module again,
    command line and all. Both are hidden during the start, which awaits nothing.
    """
    saved = dict(os.environ)
    main = sys.modules["__main__"]
    try:
        if saved != dict(environment):
            os.environ.clear()
            os.environ.update(environment)
        sys.modules["__main__"] = types.ModuleType("__main__")
        yield
    finally:
        sys.modules["__main__"] = main
        if saved != dict(environment):
            os.environ.clear()
            os.environ.update(saved)
