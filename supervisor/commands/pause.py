"""`supervisor pause`: a running worker asks for no jobs, for a while or until it is resumed."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import NOT_ON_DISK, ControlSettings, Note
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.lifecycle.intake import LONGEST_PAUSE_SECONDS
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE

PROGRAM: Final = "supervisor pause"
_EPILOG: Final = """\
The worker's jobs go on, and so do heartbeat and deliveries. A reload leaves
the pause as it is; a restart ends it. A worker that crashes or is killed comes
back paused. A second pause replaces note and end of the first.

Exit code 0: the worker is paused. 1: it is not, because it drains or stops. 3:
there is no worker to ask. 4: you may not ask it."""

_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)


def _seconds(text: str) -> float:
    if not (match := _DURATION.fullmatch(text.strip())):
        raise ValueError("must be a time such as 90, 90s, 15m, 2h or 1d")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= LONGEST_PAUSE_SECONDS:
        raise ValueError(f"must be more than 0 and at most {LONGEST_PAUSE_SECONDS / 86400:g} days")
    return seconds


def _checked(text: str | None) -> str | None:
    if text is not None:
        _seconds(text)
    return text


class PauseSettings(ControlSettings):
    """Tell a running worker to ask for no jobs, for a while or until `supervisor resume`."""

    note: Note = Field(default="", description="The reason, for `supervisor status` and the log.")
    time: Annotated[str | None, AfterValidator(_checked)] = Field(
        default=None,
        alias="for",
        description="How long the pause lasts: 90 or 90s, 15m, 2h, 1d. Default: until `supervisor resume`.",
    )


def run(arguments: list[str]) -> int:
    """Pause the worker. Returns 0, or see `control_socket.exit_codes`."""
    settings = read_settings(PauseSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        end = {} if settings.time is None else {"for_seconds": _seconds(settings.time)}
        answer = client.ask("pause", note=settings.note, **end)
        if settings.as_json:
            print_json(answer)
        else:
            _print(answer)
        return DONE

    return run_request(PROGRAM, settings, ask)


def _print(answer: dict[str, Any]) -> None:
    seconds = answer["seconds_left"]
    print(
        "paused " + ("until `supervisor resume` or a restart" if seconds is None else f"for {seconds:.0f} s")
    )
    if answer["jobs"]:
        print(f"  {answer['jobs']} job(s) go on")
    if answer["requests"]:
        print("  a request for jobs is on its way; what it brings is run")
    if not answer["on_disk"]:
        print(NOT_ON_DISK)
