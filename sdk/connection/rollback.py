"""Rolls a change back in another process: what `run` checks before the change, and what `rollback` does."""

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
    """Check, before a change, that `restore` could give the device back what it has now; return from where.

    That is the `current_configuration` of `device` (the inventory), if the device runs it. If there is none, the
    startup configuration must be what the device runs, and `will_save` must be False: saving the change would overwrite
    it. `timeout` is in seconds. When cancelled, it ends at once, and so does the connection.

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
    """Give a device its earlier configuration back, for `rollback`: the inventory's, otherwise its startup one.

    `context` is the job's context, or a device of it. With `lines`, the lines that `run` has sent, only their effects
    are taken back. Other differences are left and reported: they may be the work of somebody else. Without `lines` the
    device gets the whole earlier configuration, and all changes since then are lost. `timeout` is in seconds. When
    cancelled, it ends at once, and so does the connection; a part may be restored.

    Raises:
        NothingToRestoreError: there is none, or only a startup configuration that holds the change. Nothing was sent.
        DeviceError: the device did not answer; a part may be restored.
    """
    device = getattr(context, "device", context)
    return await connection.run(changing.roll_back(_stored(device), lines), timeout)


def _stored(device: Any) -> str | None:
    return getattr(device, "current_configuration", None)
