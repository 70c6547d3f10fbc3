"""A device with a login, as blocking code sees it: the session, and the platform's plugin on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sdk.connection.capabilities import Configuration
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline, DeadlineError
from sdk.connection.errors import DeviceError, fail
from sdk.connection.login import Login
from sdk.connection.opening import no_prompt, open_session
from sdk.connection.places import SessionPlace
from sdk.connection.prompt import shape
from sdk.connection.session import MOST_OUTPUT_BYTES, Session
from sdk.connection.session_log import SessionLog
from sdk.connection.verbs import Verb

if TYPE_CHECKING:
    from sdk.connection.host_keys import HostKeyCheck
    from sdk.connection.platforms.platform import Platform

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """Which device, how to log in to it, and what it must be able to do."""

    login: Login
    platform: type[Platform]
    needs: tuple[type, ...] = ()
    host_keys: HostKeyCheck | None = None
    max_output_bytes: int = MOST_OUTPUT_BYTES
    session_log: Callable[[str], object] | None = None
    """It gets each line of the session, masked."""


class Device:
    """One connection. Its methods block; any thread may call `abort`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        log = None
        if target.session_log is not None:
            log = SessionLog(target.login.where, target.login.secrets, target.session_log)
        self.session = Session(target.login, log, max_output_bytes=target.max_output_bytes)
        self.platform: Platform = target.platform(self.session)
        self._after_login = ("", "")
        self._turn = threading.Lock()
        self._place: SessionPlace | None = None

    def open(self, deadline: Deadline, make_way: Callable[[str], None]) -> None:
        """Log in. Raises `DeviceError`; nothing is open then.

        `make_way` closes unused sessions that are kept on the device, if there is no place for another one.
        """
        place = self._place = SessionPlace(self.session.where)
        self.session.use_place(place)
        try:
            place.wait(deadline, make_way)
        except BaseException:
            self.session.abort("it got no place")
            raise
        open_session(
            self.session,
            self.platform.netmiko_type,
            deadline=deadline,
            host_keys=self.target.host_keys,
            prepared_by_netmiko=self.platform.prepared_by_netmiko,
        )
        try:
            self.platform.after_login(deadline=deadline)
            self.enable(self.target.needs, deadline)
        except DeadlineError:
            self.session.abort("the login failed")
            raise no_prompt(self.session, deadline.seconds) from None
        except BaseException:
            self.session.abort("the login failed")
            raise

    def enable(self, needs: tuple[type, ...], deadline: Deadline) -> None:
        """Enter privileged mode, if there is a secret for it or changes need it. Raises `DeviceError`."""
        secret = self.session.login.enable_secret
        if secret is not None or Configuration in needs:
            self.session.enable(secret, deadline=deadline)
        self._after_login = self._prompt_shape

    @property
    def is_usable(self) -> bool:
        """Whether it can be used again."""
        return self.session.is_usable

    @property
    def is_as_after_login(self) -> bool:
        """Whether it can be used again, and is in the same mode as after the login.

        A prompt that differs only in the hostname also counts as another mode: vtysh and a shell may differ only so.
        """
        return self.is_usable and self.session.is_at_prompt and self._prompt_shape == self._after_login

    @property
    def _prompt_shape(self) -> tuple[str, str]:
        return shape(self.session.mode), shape(self.session.prompt)

    def do(self, verb: Verb[T], deadline: Deadline) -> T:
        """Run one action with the platform, alone.

        Raises:
            DeviceError: it failed, or the connection can't be used any more.
        """
        if not self._turn.acquire(timeout=deadline.left_seconds):
            raise fail(Cause.COMMAND_TIMEOUT, self.session.where, what=verb.what, seconds=deadline.seconds)
        try:
            if not self.is_usable:
                detail = self.session.ended_because or "the device has ended it"
                raise fail(Cause.SESSION_ENDED, self.session.where, detail=detail)
            return verb.run(self.platform, deadline)
        except DeadlineError:
            error = self.late(verb.what, deadline.seconds)
            self.session.abort("something did not finish in time")
            raise error from None
        finally:
            self._turn.release()

    def late(self, what: str, seconds: float) -> DeviceError:
        """Return the error for something that did not end in time, with what the device said last."""
        return self.session.too_late(what, seconds)

    def late_login(self, seconds: float) -> DeviceError:
        """Return the error for a login that did not end in time. It says how far the login came."""
        waits = self._place.late(seconds) if self._place is not None else None
        return waits or no_prompt(self.session, seconds)

    def abort(self) -> None:
        """End the connection, whatever it is doing. Does not block."""
        self.session.abort()

    def close(self) -> None:
        """End the connection. Does not block."""
        self.session.close()


def translated(login: Login, what: str, error: Exception) -> DeviceError:
    """Return a `DeviceError` for any exception of a step: a bug in a plugin, in netmiko or in this SDK."""
    if isinstance(error, DeviceError):
        return error
    return fail(Cause.UNEXPECTED, login.where, secrets=login.secrets, detail=type(error).__name__, what=what)
