"""`supervisor reload`: a running worker reads blocks and settings again, and reports the result."""

import sys
from typing import Final

from supervisor.commands.control.requests import run_request
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_output import print_json
from supervisor.log.format import printable
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.exit_codes import DONE, NO

PROGRAM: Final = "supervisor reload"
_EPILOG: Final = """\
It does the same as SIGHUP, but waits for the end and says whether it worked.
Running jobs finish with the old code. If the worker can't use the new blocks or
settings, everything stays as it was.

Exit code 0: reloaded. 1: refused, or the engine takes no block of this worker;
stderr says why. 3: there is no worker to ask. 4: you may not ask it."""

_NO_BLOCK: Final = (
    "The engine takes no block of this worker, which gets no jobs until it does. What it says of each block is above. "
    "Mend that, and reload again."
)


class ReloadSettings(ControlSettings):
    """Tell a running worker to read its blocks and settings again, and wait until that is done."""


def run(arguments: list[str]) -> int:
    """Reload the worker. Returns 0, 1 if it was refused or has no block now, or see `control_socket.exit_codes`."""
    settings = read_settings(ReloadSettings, arguments, PROGRAM, _EPILOG)

    def ask(client: ControlClient) -> int:
        answer = client.ask("reload", timeout_seconds=None)
        code = DONE if answer["blocks"] else NO
        if settings.as_json:
            print_json(answer)
            return code
        print(f"reloaded: {answer['blocks']} block(s)")
        for change in answer["changes"]:
            print(change)
        for problem in answer.get("ignored", ()):  # missing in answers of an earlier version
            print(printable(problem), file=sys.stderr)
        if answer["needs_restart"]:
            print(f"In force only after a restart: {', '.join(answer['needs_restart'])}.", file=sys.stderr)
        if code == NO:
            print(_NO_BLOCK, file=sys.stderr)
        return code

    return run_request(PROGRAM, settings, ask)
