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
from tests.capabilities import NOBODY
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


def supervisor_as_nobody(command: str, *arguments: str) -> Done:
    """Run a command as a user who has no rights. It is loaded as root: nobody can't start what lies below /root."""
    module = module_of(command)
    code = (
        f"import importlib, os, sys; run = importlib.import_module({module!r}).run\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); sys.exit(run({list(arguments)!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def supervisor_on_a_read_only_disk(directory: Path, *arguments: str) -> Done:
    """Run `supervisor` as root where the file system of `directory` takes no writes."""
    mounting = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    return subprocess.run(
        [
            *("unshare", "--mount", "--propagation", "private", "sh", "-c", mounting, str(directory)),
            *(sys.executable, "-m", "supervisor", *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def open_to_look_through(directory: Path) -> None:
    """Have any user pass through the directories that pytest has made above this one."""
    for path in directory.parents:
        if path.is_relative_to("/tmp/pytest-of-root") or path.name.startswith("pytest-"):
            path.chmod(0o755)


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
