"""The blocking steps that both interfaces run: log in, run one action, leave."""

from __future__ import annotations

import logging
from typing import TypeVar

from sdk.connection.deadline import Deadline, checked_seconds
from sdk.connection.device import Device, Target, translated
from sdk.connection.errors import DeviceError
from sdk.connection.pool import Pool, make_way
from sdk.connection.threads import Step
from sdk.connection.verbs import Verb
from sdk.failure import traceback_of
from sdk.masking import hiding

T = TypeVar("T")

_log = logging.getLogger(__name__)


def enter_step(target: Target, seconds: float, pool: Pool | None) -> tuple[Device, Step[None] | None]:
    """Return a connection, and the step that makes it usable: None if the connection was kept.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: it is infinite, or longer than anything can wait.
    """
    checked_seconds(seconds, "login_seconds")
    kept = pool.take(target) if pool is not None else None
    if kept is not None and set(target.needs) <= set(kept.target.needs):
        return kept, None
    device = kept or Device(target)
    name = f"the login to {target.login.where}"

    def run() -> None:
        deadline = Deadline(seconds)
        try:
            if kept is None:
                device.open(deadline, make_way)
            else:
                kept.enable(target.needs, deadline)
        except Exception as error:
            raise _told(target, name, error) from None

    return device, Step(name, run, device.abort, lambda: device.late_login(seconds))


def verb_step(device: Device, verb: Verb[T], seconds: float) -> Step[T]:
    """Return one action as a step. Raises `TypeError` and `ValueError` for a limit that can't be waited for."""
    checked_seconds(seconds, "timeout")

    def run() -> T:
        deadline = Deadline(seconds)
        try:
            return device.do(verb, deadline)
        except Exception as error:
            if device.session.is_aborted and not isinstance(error, DeviceError):
                raise  # the session was ended from outside, and nobody waits for the result any more
            raise _told(device.target, verb.what, error) from None

    name = f"{verb.what} on {device.session.where}"
    return Step(name, run, device.abort, lambda: device.late(verb.what, seconds))


def leave(device: Device, pool: Pool | None) -> None:
    """Keep a connection in the block's pool, or close it. Does not block."""
    if pool is not None:
        pool.keep(device)
    else:
        device.close()


def _told(target: Target, what: str, error: Exception) -> Exception:
    """Return the error to raise. If it is not a failure of a device, the log gets its traceback."""
    told = translated(target.login, what, error)
    if not isinstance(error, DeviceError):
        _log.error("%s: %s\n%s", target.login.where, what, traceback_of(error, hiding(target.login.secrets)))
    elif error.__cause__ is not None:
        _log.debug("%s: %s\n%s", target.login.where, what, traceback_of(error, hiding(target.login.secrets)))
    return told
