"""Which commands a worker answers. To add one: a file with a function as `Command` is, and its line below."""

from collections.abc import Callable, Mapping
from typing import Final

from supervisor.control.protocol import ControlError, Request
from supervisor.control.server import Answer, Handler
from supervisor.worker.control.cancel import cancel
from supervisor.worker.control.config import config
from supervisor.worker.control.intake import drain, pause, resume
from supervisor.worker.control.jobs import job, jobs
from supervisor.worker.control.logs import logs
from supervisor.worker.control.reload import reload
from supervisor.worker.control.stack import stack
from supervisor.worker.control.status import status, status_while_starting
from supervisor.worker.control.top import top
from supervisor.worker.parts import Parts

Command = Callable[[Parts, Request], Answer]
"""`async def name(parts, request) -> JsonObject`, or an async generator that yields at least one `JsonObject`.

Raises `ControlError` for an answer that is no. It runs on the loop: what takes long, or waits for a disk, is done
beside it. It is cancelled when who has asked leaves.
"""

COMMANDS: Final[Mapping[str, Command]] = {
    "status": status,
    "jobs": jobs,
    "job": job,
    "logs": logs,
    "stack": stack,
    "top": top,
    "pause": pause,
    "resume": resume,
    "drain": drain,
    "cancel": cancel,
    "reload": reload,
    "config": config,
}


def handlers_of(parts: Callable[[], Parts | None]) -> dict[str, Handler]:
    """Return the commands for a server. `parts` returns `None` as long as the worker is on its way up."""

    def handler_of(command: Command) -> Handler:
        def answer(request: Request) -> Answer:
            found = parts()
            if found is None and command is status:
                return status_while_starting(request)
            if found is None:
                raise ControlError(
                    "starting",
                    "The worker is on its way up, and can't answer this yet. Try again later. "
                    "`supervisor status` says when it is ready.",
                )
            return command(found, request)

        return answer

    return {name: handler_of(command) for name, command in COMMANDS.items()}
