"""Makes a `Target` from a device of the job, for both interfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sdk.connection.causes import Cause
from sdk.connection.device import Target
from sdk.connection.errors import fail
from sdk.connection.host_keys import check_for
from sdk.connection.login import as_login
from sdk.connection.platforms.registry import platform_of
from sdk.connection.session import MOST_OUTPUT_BYTES

DEFAULT_LOGIN_SECONDS = 30.0
DEFAULT_TIMEOUT_SECONDS = 30.0


def target_of(
    device: Any,
    *,
    needs: tuple[type, ...] = (),
    parameters: Any = None,
    platform: str | None = None,
    host_keys: str | None = None,
    max_output_bytes: int | None = None,
    session_log: Callable[[str], object] | None = None,
) -> Target:
    """Return the device to connect to, and how.

    `device` is a device of the job's context, or a `Login`, which needs a `platform`.

    Raises:
        DeviceError: something is missing in the inventory.
        TypeError: `device` is not an object for a device, or `needs` is not a tuple of capabilities.
    """
    if not isinstance(needs, tuple) or not all(isinstance(need, type) for need in needs):
        raise TypeError(
            f"needs is {needs!r}. Give a tuple of capabilities, as needs=(Execution, Configuration)."
        )
    login = as_login(device, parameters=parameters)
    name = platform or _platform_name(device)
    if not name:
        raise fail(Cause.NO_PLATFORM, login.where)
    found = platform_of(name, login.where)
    found.check_needs(needs, login.where)
    return Target(
        login=login,
        platform=found,
        needs=needs,
        host_keys=check_for(host_keys),
        max_output_bytes=max_output_bytes or MOST_OUTPUT_BYTES,
        session_log=session_log,
    )


def _platform_name(device: Any) -> str | None:
    of_device = getattr(device, "platform", None)
    return getattr(of_device, "short_name", None)
