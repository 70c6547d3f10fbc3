"""`supervisor doctor`: whether this machine is fit for the worker, and what to do if not."""

import logging
import os
import sys
from dataclasses import asdict
from typing import Any, Final, NoReturn

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from supervisor.commands.doctor.all_checks import examine
from supervisor.commands.doctor.finding import Finding, Status
from supervisor.commands.doctor.unit_settings import (
    UnitSettingsError,
    environment_of,
    has_flag,
    without_flag,
    without_settings,
)
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED, OnlyThese
from supervisor.commands.shared.common import EXIT_FAILED, read_settings, run_to_exit_code
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.log.format import printable
from supervisor.log.setup import start_logging
from supervisor.settings import env_file
from supervisor.settings.run_settings import DaemonSettings

PROGRAM: Final = "supervisor doctor"
_UNIT: Final = "--unit"
_COLOURS: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red"}
_NARROW_COLUMNS: Final = 70


class DoctorSettings(DaemonSettings):
    """Check this machine with the settings of the daemon, and say what to do. Exit code 1 when a check failed."""

    engine_url: str = Field(default="", description="The engine's base URL. Without it, no engine is asked.")
    as_json: bool = Field(default=False, alias="json", description="Print one JSON object.")
    unit: str | None = Field(
        default=None,
        description="Check with the settings that systemd gives this unit, such as `neops-supervisor`. The settings of "
        "this shell and of `.env` do not count.",
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use the sources of the daemon, for the settings of the daemon."""
        sources = super().settings_customise_sources(settings_cls, *args, **kwargs)
        return tuple(OnlyThese(settings_cls, source, DaemonSettings.model_fields) for source in sources)


def run(arguments: list[str]) -> int:
    """Check and print. Returns 0, or 1 if a check failed."""
    if has_flag(_UNIT, arguments):
        _run_for_unit(arguments)
    settings = read_settings(DoctorSettings, arguments, PROGRAM)
    listener = start_logging(logging.CRITICAL)

    async def work() -> int:
        findings = await examine(settings)
        if settings.as_json:
            print_json({"checks": [asdict(finding) for finding in findings]})
        else:
            _print(findings)
        return EXIT_FAILED if any(finding.status is Status.FAILED for finding in findings) else 0

    try:
        return run_to_exit_code(PROGRAM, work)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        listener.stop()


def _run_for_unit(arguments: list[str]) -> NoReturn:
    """Run the command as systemd would, in a new process: some settings are read when modules are imported.

    Settings of this shell and of `.env` in this directory are not the unit's, so they can't cause a finding.
    """
    for name in os.environ.keys() - without_settings(os.environ).keys():
        del os.environ[name]
    with env_file.held(""):
        unit = read_settings(DoctorSettings, arguments, PROGRAM).unit or ""
    try:
        environment = dict(os.environ) | environment_of(unit)
    except UnitSettingsError as error:
        print(f"{PROGRAM}: {printable(str(error))}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    os.chdir("/")  # the directory of a service: `.env` here is not the unit's
    program = (sys.executable, "-P", "-m", "supervisor", "doctor", *without_flag(_UNIT, arguments))
    os.execve(program[0], program, environment)  # noqa: S606  # this program itself, without a shell


def _print(findings: list[Finding]) -> None:
    console = OutputConsole()
    if not sys.stdout.isatty():
        widest = max(len(finding.check) for finding in findings)
        for finding in findings:
            text = " ".join(_text_of(finding).split("\n"))  # one line for each check, for `grep`
            print(f"{finding.status:7}  {finding.check:{widest}}  {text}")
    elif console.width >= _NARROW_COLUMNS:
        table = Table.grid(padding=(0, 2, 0, 0))
        for finding in findings:
            table.add_row(_status_of(finding), finding.check, Text(_text_of(finding), overflow="fold"))
        console.print(table)
    else:
        for finding in findings:
            console.print(_status_of(finding), finding.check)
            console.print(Padding(Text(_text_of(finding), overflow="fold"), (0, 0, 0, 4)))


def _status_of(finding: Finding) -> Text:
    return Text(finding.status, style=_COLOURS[finding.status])


def _text_of(finding: Finding) -> str:
    """Return the text of a finding. It may quote a block's error: it must not control a terminal."""
    return printable(f"{finding.text} {finding.advice}".rstrip())
