"""Rolling a change back in another process: what `run` makes sure of beforehand, and what `rollback` does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sdk.connection import changing
from sdk.connection.changes.plan import Plan
from sdk.connection.changes.restore import Rollback
from sdk.connection.connecting import DEFAULT_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from sdk.connection.connection import Connection


async def rollback_source(
    connection: Connection,
    device: Any,
    plan: Plan,
    *,
    will_save: bool = False,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> str:
    """Make sure, before a change, that `restore` could give the device back what it has now; return from where.

    That is the `current_configuration` of `device` (the inventory), if it is what the device runs. Without one, the
    startup configuration has to be, and `will_save` must be False: saving the change would overwrite it. `timeout` is
    in seconds. Cancelled, it goes on at once, and the connection ends.

    Raises:
        NothingToRestoreError: neither is what the device runs.
        DeviceError: the device did not answer.
    """
    verb = changing.check_source(_stored(device), plan.configuration, will_save=will_save)
    return await connection.run(verb, timeout)


async def restore(
    connection: Connection,
    context: Any,
    *,
    lines: str | Iterable[str] | None = None,
    timeout: float = changing.DEFAULT_CHANGE_SECONDS,
) -> Rollback:
    """Give a device its earlier configuration back, for `rollback`: that of the inventory, else its startup one.

    `context` is the job's, or a device of it. With `lines`, those that `run` has sent, only what they did is taken
    back, and what differs besides is left and told: it may be the work of somebody else. Without them the device gets
    the whole earlier configuration, and whatever was changed since then is lost. `timeout` is in seconds. Cancelled, it
    goes on at once and the connection ends; a part may be restored.

    Raises:
        NothingToRestoreError: there is none, or only a startup configuration that holds the change. Nothing was sent.
        DeviceError: the device did not answer; a part may be restored.
    """
    device = getattr(context, "device", context)
    return await connection.run(changing.roll_back(_stored(device), lines), timeout)


def _stored(device: Any) -> str | None:
    return getattr(device, "current_configuration", None)
