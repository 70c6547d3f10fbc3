"""`config`: the settings in force, each with its origin."""

import dataclasses

from supervisor.settings.origins import setting_rows
from supervisor.worker.control_socket.protocol import JsonObject, Request
from supervisor.worker.parts import Parts


async def config(parts: Parts, _: Request) -> JsonObject:
    """Return the value and the origin of each setting in force, secrets masked."""
    return {
        "settings": [dataclasses.asdict(row) for row in setting_rows(parts.reload.in_force)],
        "needs_restart": list(parts.reload.needs_restart),
    }
