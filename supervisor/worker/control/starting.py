"""The answers of a worker that is starting, and the functions that answer once it has its parts.

The control socket listens before the template starts. The code for the commands is imported meanwhile.
"""

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from supervisor.settings.command_parser import version_text
from supervisor.worker.control_socket.protocol import ControlError, JsonObject, Request
from supervisor.worker.control_socket.server import Answer, Handler
from supervisor.worker.readiness import STARTING, Reason

COMMAND_NAMES: Final = (
    "status",
    "jobs",
    "job",
    "logs",
    "stack",
    "top",
    "pause",
    "resume",
    "drain",
    "cancel",
    "reload",
    "config",
)
"""The names of `table.COMMANDS`; a test compares them."""


def handlers_of(commands: Callable[[], Mapping[str, Handler] | None], state_dir: Path) -> dict[str, Handler]:
    """Return the commands for a server. `commands` returns `None` as long as the worker is starting."""

    def handler_of(name: str) -> Handler:
        def answer(request: Request) -> Answer:
            found = commands()
            if found is not None:
                return found[name](request)
            if name == "status":
                return status_while_starting(state_dir)
            raise ControlError(
                "starting",
                "The worker is on its way up, and can't answer this yet. Try again later. "
                "`supervisor status` says when it is ready.",
            )

        return answer

    return {name: handler_of(name) for name in COMMAND_NAMES}


async def status_while_starting(state_dir: Path) -> JsonObject:
    """Return the state of a worker that has no parts yet."""
    reason = Reason(STARTING, "starting: blocks are imported, or the engine has not taken this worker yet")
    return {
        "ready": False,
        "why_not": [{"cause": reason.cause, "message": reason.message}],
        "warnings": [],
        "version": version(),
        "pid": os.getpid(),
        "state_dir": str(state_dir),
    }


@functools.cache
def version() -> str:
    """Return the version of this program, as `supervisor --version` prints it."""
    return version_text()  # reads a file
