"""Coverage of blocks that run in children: their data becomes part of the data of the tests.

If the tests are measured (`pytest --cov`, `coverage run -m pytest`), nothing needs configuration. A child starts a
`Coverage` with the options of the active one, and its data is added to that one at the end of the session. Without
the library, or if nothing is measured, nothing happens.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "NEOPS_TESTS_COVERAGE"
"""As in `jobrunner.protocol.coverage`."""

_OPTIONS: Final = {
    "branch": "run:branch",
    "source": "run:source",
    "source_pkgs": "run:source_pkgs",
    "include": "run:include",
    "omit": "run:omit",
    "cover_pylib": "run:cover_pylib",
}
"""Arguments of `Coverage` that may come from a command line. The configuration file then lacks them."""


class ChildCoverage:
    """The data of one server's children. Use `environment` before they start, `collect` when they have ended."""

    def __init__(self) -> None:
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that make children measure; none unless this process is measured."""
        active = _active()
        if active is None:
            return {}
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="neops-coverage-")
        asked = {
            "directory": self._directory.name,
            "started_in": os.getcwd(),
            "options": {
                "config_file": active.config.config_file or False,
                **{name: active.get_option(option) for name, option in _OPTIONS.items()},
            },
        }
        return {VARIABLE: json.dumps(asked)}

    def collect(self) -> None:
        """Add the children's data to the data of this process, and remove their files."""
        directory, self._directory = self._directory, None
        if directory is None:
            return
        with directory:
            active = _active()
            if active is not None:
                for file in sorted(Path(directory.name).iterdir()):
                    _add(active, file)


def _active() -> Any:
    """Return the `Coverage` that measures this process, or None."""
    module = sys.modules.get("coverage")
    return module.Coverage.current() if module is not None else None


def _add(active: Any, file: Path) -> None:
    module: Any = sys.modules["coverage"]
    # A child that was killed while it wrote may have left half a file, and nobody can use that.
    with contextlib.suppress(module.CoverageException):
        data = module.CoverageData(basename=str(file))
        data.read()
        active.get_data().update(data)
        data.close()
