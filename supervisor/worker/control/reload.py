"""`reload`: reads blocks and settings again, and reports the result."""

import logging

from supervisor.log.event import tell
from supervisor.log.events.worker import ReloadStarted
from supervisor.worker.control_socket.protocol import ControlError, JsonObject, Request
from supervisor.worker.parts import Parts

_log = logging.getLogger(__name__)


async def reload(parts: Parts, request: Request) -> JsonObject:
    """Reload, same as SIGHUP, and return once that is done. Raises `ControlError` if it is refused.

    If the client leaves meanwhile, the reload goes on.
    """
    tell(_log, ReloadStarted(asked=f"{request.peer.name} asks for a reload"))
    outcome = await parts.reload.ask()
    if outcome.refused is not None:
        raise ControlError("reload_refused", f"Not reloaded, everything stays as it was: {outcome.refused}")
    return {
        "blocks": outcome.blocks,
        "changes": list(outcome.changes),
        "needs_restart": list(outcome.needs_restart),
        "ignored": list(outcome.ignored),
    }
