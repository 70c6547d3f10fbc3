"""Running the command line with nothing of this process's settings: as a person does, as a process; or in this one."""

import contextlib
import importlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from supervisor.cli import module_of
from tests.patience import PATIENCE_SECONDS

BASE = "import sdk\nclass Base(sdk.FunctionBlock): ...\n"
"""At the end of a module, it has the module imported; what stands before it need not be a block."""

Done = subprocess.CompletedProcess[str]


def supervisor(*arguments: str, cwd: Path | None = None, **environment: str) -> Done:
    """Run `supervisor` with stdout and stderr captured; the environment holds no NEOPS_ variable but those given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEOPS_")}
    return subprocess.run(
        [sys.executable, "-m", "supervisor", *arguments],
        cwd=cwd,
        env=own | {"COLUMNS": "200"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def supervisor_here(command: str, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
    """Do as `supervisor` does, in this process: for a command that reads and writes files and starts nothing.

    An interpreter's start and its imports cost ten times what such a command does. Each command is run by `supervisor`
    as well, where what belongs to a process is looked at: terminals, pipes, users, locks, signals.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEOPS_")}
    return run_here(
        command, *arguments, cwd=cwd or Path.cwd(), environment=own | {"COLUMNS": "200"} | environment
    )


def run_here(command: str, *arguments: str, cwd: Path, environment: dict[str, str]) -> Done:
    """Call what `supervisor` would call for this command, with these variables alone, and return what it printed."""
    run = importlib.import_module(module_of(command)).run
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            code = run(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
    return Done([command, *arguments], code, stdout.getvalue(), stderr.getvalue())
