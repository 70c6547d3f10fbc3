"""`supervisor status`: whether a running worker takes jobs, and why not."""

import time
from typing import Any, Final

from supervisor.commands.control.job_text import moment_text
from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.log.format import printable
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE, NO

PROGRAM: Final = "supervisor status"
_EPILOG: Final = """\
Exit code 0: the worker is ready. 1: it is not, and the first lines say why.
3: there is no worker to ask. 4: you may not ask it."""


class StatusSettings(ControlSettings):
    """Ask a running worker whether it takes jobs, and why not."""


def run(arguments: list[str]) -> int:
    """Print the worker's state. Returns 0 if it is ready, 1 if not, or see `control_socket.exit_codes`."""
    settings = read_settings(StatusSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        status = client.ask("status")
        if settings.as_json:
            print_json(status)
        else:
            _print(status)
        return DONE if status["ready"] else NO

    return run_request(PROGRAM, settings, ask)


def _print(status: dict[str, Any]) -> None:
    print("ready" if status["ready"] else "not ready")
    for reason in status["why_not"]:
        print(printable(f"  {reason['message']} ({reason['cause']})"))
    if (intake := status.get("intake", {})) and intake.get("by"):
        since = moment_text(time.time() - intake["seconds"])
        print(printable(f"  {intake['mode']} since {since}"))  # the reason above names the person
    for warning in status.get("warnings", ()):  # missing in answers of an earlier version
        print(printable(f"  warning: {warning['message']} ({warning['cause']})"))
    if "worker" not in status:  # it is starting
        if "version" in status:
            print(f"version  {status['version']}")
        print(f"process  {status['pid']}")
        return
    if status["name"]:
        print(f"name     {status['name']}")
    print(f"worker   {status['worker']}")
    if "started_at" in status:  # missing in answers of an earlier version that was not restarted yet
        print(f"version  {status['version']}")
        print(f"since    {moment_text(status['started_at'])}")
    print(f"engine   {status['engine_url']}")
    if (silent := status.get("engine_silent_seconds")) is not None:
        print(f"         not reached since {moment_text(time.time() - silent)}")
    print(f"blocks   {status['blocks']}")
    for block, code in sorted(status["code"].items()):
        print(f"         {block}  code {code or 'unknown'}")
    for problem in status["not_imported"]:
        print(f"warning  not imported: {problem}")
    print(f"jobs     {status['running']} run in {status['slots']} slot(s), {status['waiting']} wait")
    print(f"results  {status['results_waiting']} wait for the engine")
    print(f"process  {status['pid']}")
