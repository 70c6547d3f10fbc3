"""The commands that a worker answers. To add one: a file with a function of the type `Command`, its line below, and its
name in `starting.py`.

Imported with the rest of the worker, because most commands import much.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from supervisor.worker.control.cancel import cancel
from supervisor.worker.control.config import config
from supervisor.worker.control.intake import drain, pause, resume
from supervisor.worker.control.jobs import job, jobs
from supervisor.worker.control.logs import logs
from supervisor.worker.control.reload import reload
from supervisor.worker.control.stack import stack
from supervisor.worker.control.status import status
from supervisor.worker.control.top import top
from supervisor.worker.control_socket.protocol import Request
from supervisor.worker.control_socket.server import Answer, Handler
from supervisor.worker.parts import Parts

Command = Callable[[Parts, Request], Answer]
"""`async def name(parts, request) -> JsonObject`, or an async generator that yields at least one `JsonObject`.

Raises `ControlError` for a refusal. It runs on the loop: work that takes long, or waits for a disk, is done in a
thread. It is cancelled when the client leaves.
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


def commands_of(parts: Parts) -> dict[str, Handler]:
    """Return the commands of a worker with these parts."""
    return {name: partial(command, parts) for name, command in COMMANDS.items()}
