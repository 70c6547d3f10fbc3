"""`detect_platform`: finds out the platform of a device, in one login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from sdk.connection.connecting import DEFAULT_LOGIN_SECONDS
from sdk.connection.deadline import Deadline
from sdk.connection.device import Target
from sdk.connection.host_keys import check_for
from sdk.connection.login import Login, as_login
from sdk.connection.platforms.platform import DeviceSession
from sdk.connection.platforms.probing import Detection, Unknown, probe
from sdk.connection.steps import enter_step, verb_step
from sdk.connection.threads import run_limited
from sdk.connection.verbs import Verb

__all__ = ["Detection", "detect_platform"]

T = TypeVar("T")

DEFAULT_PROBE_SECONDS: Final = 10.0


async def detect_platform(
    device: Any,
    *,
    login_seconds: float = DEFAULT_LOGIN_SECONDS,
    timeout: float = DEFAULT_PROBE_SECONDS,
    parameters: Any = None,
    host_keys: str | None = None,
    session_log: Callable[[str], object] | None = None,
) -> Detection:
    """Find out what answers at a device, with one login and a few commands that change nothing.

    It does not need the platform in the inventory, nor trust it. It recognises IOS, IOS-XE, IOS XR, NX-OS, ASA,
    EOS, Junos, AOS-CX, VRP, Comware, FRR behind vtysh and behind a shell, and Linux. Anything else is a `Detection`
    without a platform, and no error.

    Args:
        device: a device of the job's context, or a `Login`.
        login_seconds: the limit for TCP connection, SSH, login and first prompt together.
        timeout: the limit for all commands together, in seconds.
        parameters: the job's parameters: see `login_of`.
        host_keys: as for `connect`.
        session_log: gets each line that is sent and received, masked.

    Raises:
        DeviceError: the login fails, or the device does not answer in time.
        asyncio.CancelledError: at once; the session ends.
    """
    login = as_login(device, parameters=parameters)
    return await in_one_session(
        login,
        lambda session, end: probe(session, deadline=end),
        login_seconds=login_seconds,
        timeout=timeout,
        host_keys=host_keys,
        session_log=session_log,
    )


async def in_one_session(
    login: Login,
    ask: Callable[[DeviceSession, Deadline], T],
    *,
    login_seconds: float = DEFAULT_LOGIN_SECONDS,
    timeout: float = DEFAULT_PROBE_SECONDS,
    host_keys: str | None = None,
    session_log: Callable[[str], object] | None = None,
) -> T:
    """Log in to an unknown device, call `ask` in a thread, and end the session.

    Args and errors are as for `detect_platform`; `ask` gets the deadline from `timeout`.
    """
    target = Target(login=login, platform=Unknown, host_keys=check_for(host_keys), session_log=session_log)
    # The session is not kept: the next login will be to a known platform.
    session, log_in = enter_step(target, login_seconds, None)
    if log_in is not None:
        await run_limited(log_in, login_seconds)
    asking = Verb("the detection", lambda platform, end: ask(platform.session, end))
    try:
        return await run_limited(verb_step(session, asking, timeout), timeout)
    finally:
        session.close()
