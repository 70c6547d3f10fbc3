"""`supervisor config`: the settings of a running worker, or those with which one would start."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.shared.table import print_rows
from supervisor.settings.origins import origins_of, setting_rows
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE

PROGRAM: Final = "supervisor config"
_NEXT_START: Final = "--next-start"
_EPILOG: Final = """\
  supervisor config                       the settings of the running worker
  supervisor config --next-start [FLAGS]  the settings of a new worker here

The origin is a flag, a variable of the environment, a line of .env, or
`default`. Passwords in addresses are shown as ***.

Exit code 0: the settings are printed. 2: with --next-start: a worker would not
start with these settings. 3: there is no worker to ask. 4: you may not ask it."""


class ConfigSettings(ControlSettings):
    """Show each setting of a running worker, its value and where the value comes from."""

    next_start: bool = Field(
        default=False,
        description="Show the settings that a worker would start with here, and ask no worker. You can add its flags.",
    )


def run(arguments: list[str]) -> int:
    """Print the settings. Returns 0, or see `control_socket.exit_codes`."""
    if _NEXT_START in arguments:
        return _next_start([each for each in arguments if each != _NEXT_START])
    settings = read_settings(ConfigSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        _print(client.ask("config"), as_json=settings.as_json)
        return DONE

    return run_request(PROGRAM, settings, ask)


def _next_start(arguments: list[str]) -> int:
    flags = [each for each in arguments if each != "--json"]
    settings = read_settings(DaemonSettings, flags, f"{PROGRAM} {_NEXT_START}")
    settings.come_from(origins_of(DaemonSettings, flags, ENV_PREFIX))
    rows = [dataclasses.asdict(row) for row in setting_rows(settings)]
    _print({"settings": rows, "needs_restart": []}, as_json="--json" in arguments)
    return DONE


def _print(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    rows: Sequence[Sequence[str]] = [
        (row["name"], "" if row["value"] is None else row["value"], row["origin"])
        for row in answer["settings"]
    ]
    print_rows(OutputConsole(), ("setting", "value", "origin"), rows)
    if answer["needs_restart"]:
        print(
            f"Changed, but in force only after a restart: {', '.join(answer['needs_restart'])}.",
            file=sys.stderr,
        )
