"""`supervisor resume`: a running worker asks for jobs again."""

from typing import Final

from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import NOT_ON_DISK, ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE

PROGRAM: Final = "supervisor resume"
_EPILOG: Final = """\
Exit code 0: the worker asks for jobs, again or as before. 1: it stops. 3:
there is no worker to ask. 4: you may not ask it."""


class ResumeSettings(ControlSettings):
    """Tell a running worker to ask for jobs again: this ends a pause or a drain."""


def run(arguments: list[str]) -> int:
    """Resume the worker. Returns 0, or see `control_socket.exit_codes`."""
    settings = read_settings(ResumeSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        answer = client.ask("resume")
        if settings.as_json:
            print_json(answer)
        else:
            print("resumed" if answer["was_closed"] else "it was neither paused nor drained")
            if not answer["on_disk"]:
                print(NOT_ON_DISK)
        return DONE

    return run_request(PROGRAM, settings, ask)
