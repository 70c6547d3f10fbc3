"""Throw-away environments in which `neops_worker_sdk` is installed beside what this worker needs."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.processes import ROOT, CompatError

REQUIREMENT: Final = "neops_worker_sdk==0.2.0b7"
_OLDEST: Final = (3, 12)
_INSTALL_SECONDS: Final = 600


def interpreter_of(environment: Path) -> Path:
    """Return the interpreter of an environment."""
    return environment / "bin" / "python"


def is_usable(environment: Path) -> bool:
    """Whether this is an environment with the package."""
    python = interpreter_of(environment)
    return python.exists() and _runs(
        python, "-c", "import importlib.metadata as m; m.version('neops_worker_sdk')"
    )


def make(environment: Path) -> None:
    """Make an environment at this path, of the Python that runs this. Raises `CompatError`."""
    if sys.version_info < _OLDEST:
        raise CompatError(
            f"neops_worker_sdk needs Python 3.12 or newer, and this is {sys.version.split()[0]}. Name another one: "
            "make reference PYTHON=python3.13"
        )
    # Editable, as the worker that is compared is that of this checkout, whatever changes in it later.
    packages = [REQUIREMENT, "--editable", f"{ROOT}[test]"]
    if uv := shutil.which("uv"):
        _run(uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(environment))
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(interpreter_of(environment)),
            "--prerelease=allow",
        ]
    else:
        _run(sys.executable, "-m", "venv", str(environment))
        install = [str(interpreter_of(environment)), "-m", "pip", "install", "--quiet", "--pre"]
    _run(*install, *packages)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise CompatError(f"`{' '.join(command[:3])} …` took more than {_INSTALL_SECONDS} s.") from None
    if done.returncode:
        raise CompatError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")


def _runs(python: Path, *arguments: str) -> bool:
    return subprocess.run([python, *arguments], capture_output=True, timeout=PATIENCE_SECONDS).returncode == 0
