"""`supervisor deploy unit`: print systemd's unit for this installation."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict

from supervisor.commands.deploy.unit import INSTANCE, JOB_USERS, LOCAL, PLAIN, shipped, unit_text
from supervisor.commands.shared.command_settings import StateDirectorySettings
from supervisor.commands.shared.common import EXIT_USAGE, read_settings
from supervisor.settings.run_settings import RunSettings

PROGRAM: Final = "supervisor deploy"
_HIDDEN_BY_THE_UNIT: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  # nothing is written there
_EPILOG: Final = """\
The worker:
  supervisor deploy unit >/etc/systemd/system/neops-supervisor.service
Several workers on one machine:
  supervisor deploy unit --instance \\
    >/etc/systemd/system/neops-supervisor@.service
Engine and worker of one machine:
  supervisor deploy unit --local >/etc/systemd/system/neops-local.service

Then: systemctl daemon-reload. The unit starts the program that printed it.
--job-users prints a drop-in for the first two. deploy/README.md has the rest."""


class DeploySettings(StateDirectorySettings):
    """Print the systemd unit that runs the worker of this installation.

    Exit code 0 when the unit is printed, 2 for wrong usage.
    """

    model_config = SettingsConfigDict(**RunSettings.model_config)

    what: CliPositionalArg[list[str]] = Field(default=[], description="What to print: `unit`.")
    instance: bool = Field(
        default=False, description="Print a template unit, for several workers on one machine."
    )
    job_users: bool = Field(
        default=False, description="Print the drop-in that gives each job a user of its own."
    )
    local: bool = Field(
        default=False, description="Print the unit for `supervisor local`: engine and worker on one machine."
    )


def run(arguments: list[str]) -> int:
    """Print it. Returns 0, or 2 for wrong usage."""
    settings = read_settings(DeploySettings, arguments, PROGRAM, _EPILOG)
    chosen = [name for name in ("instance", "job_users", "local") if getattr(settings, name)]
    if settings.what != ["unit"] or len(chosen) > 1:
        problem = (
            "What is to be printed? There is `unit`."
            if settings.what != ["unit"]
            else "Each of --instance, --job-users and --local is another file: ask for one at a time."
        )
        print(f"{PROGRAM}: {problem}\nTry '{PROGRAM} --help'.", file=sys.stderr)
        return EXIT_USAGE
    if settings.job_users:
        sys.stdout.write(shipped(JOB_USERS))
        return 0
    program = this_program()
    if why := why_unreachable(program, places_of_python()):
        print(f"{PROGRAM}: {why}", file=sys.stderr)
    form = INSTANCE if settings.instance else LOCAL if settings.local else PLAIN
    sys.stdout.write(unit_text(form, program))
    return 0


def this_program() -> Path:
    """Return the program that starts this worker: the script beside the interpreter that runs it."""
    # Not resolved: in an environment the interpreter is a link to another one, and the script is beside the link.
    return Path(sys.executable).absolute().with_name("supervisor")


def places_of_python() -> list[Path]:
    """Return where the interpreter and its library really are: an environment has only links to them."""
    return [Path(os.path.realpath(place)) for place in (sys.executable, sys.base_prefix)]


def why_unreachable(program: Path, python: Iterable[Path] = ()) -> str | None:
    """Say why the service could not start this program with this Python, `None` if nothing is against it."""
    if _is_hidden(program):
        return (
            f"The unit hides {program}: home directories and temporary ones are not to be seen in it. "
            "Install the worker in /opt (deploy/README.md), and ask that one."
        )
    for place in filter(_is_hidden, python):
        return (
            f"The unit hides {place}, the Python of {program}: home directories and temporary ones are not to be "
            "seen in it. Install the worker with another Python, such as /usr/bin/python3 (deploy/README.md)."
        )
    if not program.exists():
        return f"There is no {program}. Change ExecStart= to the program that starts the worker."
    return None


def _is_hidden(place: Path) -> bool:
    return any(place.is_relative_to(hidden) for hidden in _HIDDEN_BY_THE_UNIT)
