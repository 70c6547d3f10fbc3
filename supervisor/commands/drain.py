"""`supervisor drain`: a running worker finishes its jobs and asks for no more."""

import sys
from typing import Any, Final

from pydantic import Field

from supervisor.commands.control.requests import EXIT_INTERRUPTED, run_request
from supervisor.commands.control.settings import NOT_ON_DISK, ControlSettings, Note
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE, NO

PROGRAM: Final = "supervisor drain"
_EPILOG: Final = """\
The worker finishes its jobs, however long their limits let them run, and
delivers every result. Then it idles, with its heartbeat, until `supervisor
resume`, or until it is stopped. A reload leaves the drain as it is; a
restart ends it.

To restart the service without a job noticing:
  supervisor drain --wait && systemctl restart neops-supervisor

Exit code 0: the worker drains; with --wait, it is drained. 1: it is not,
because somebody has resumed or stopped it. 3: there is no worker to ask. 4:
you may not ask it."""


class DrainSettings(ControlSettings):
    """Tell a running worker to finish its jobs, deliver their results and ask for no more."""

    wait: bool = Field(
        default=False, description="Wait until the worker is drained, and say meanwhile what is left."
    )
    exits: bool = Field(
        default=False, alias="exit", description="Once drained, the worker ends with exit code 0."
    )
    note: Note = Field(default="", description="The reason, for `supervisor status` and the log.")


def run(arguments: list[str]) -> int:
    """Drain the worker. Returns 0, 1 if it was not drained, or see `control_socket.exit_codes`."""
    settings = read_settings(DrainSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        answer: dict[str, Any] = {}
        for answer in client.stream("drain", wait=settings.wait, exit=settings.exits, note=settings.note):
            if settings.wait and not settings.as_json and answer["mode"] == "draining":
                print(f"draining: {_left(answer)}", flush=True)
        code = DONE if answer["mode"] == "drained" or not settings.wait else NO
        if settings.as_json:
            print_json(answer)
        elif code == NO:
            print(f"{PROGRAM}: {_why_not(answer)}", file=sys.stderr)
        else:
            print(_said(answer, settings.exits))
            if not answer["on_disk"]:
                print(NOT_ON_DISK)
        return code

    code = run_request(PROGRAM, settings, ask)
    if code == EXIT_INTERRUPTED:
        print("The worker still drains; `supervisor resume` takes it back.", file=sys.stderr)
    return code


def _said(answer: dict[str, Any], exits: bool) -> str:
    if answer["mode"] != "drained":
        return f"draining: {_left(answer)}"
    return "drained; the worker ends" if exits else "drained; it idles until `supervisor resume` or its stop"


def _left(answer: dict[str, Any]) -> str:
    parts = [
        f"{answer['jobs']} job(s) to finish" if answer["jobs"] else "",
        f"{answer['results']} result(s) to deliver" if answer["results"] else "",
        f"{answer['requests']} request(s) for jobs still open" if answer["requests"] else "",
    ]
    return ", ".join(filter(None, parts)) or "nothing left"


def _why_not(answer: dict[str, Any]) -> str:
    if answer["mode"] == "draining":
        return f"The worker stops, or has ended, before it was drained: {_left(answer)}. What it has is in its journal."
    return "Somebody has resumed the worker before it was drained."
