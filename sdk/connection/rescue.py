"""Takes a change back in a new session, after the session that made it has ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdk.connection.changes.undo import Restoration
from sdk.connection.deadline import Deadline
from sdk.connection.device import Device, Target
from sdk.connection.errors import DeviceError
from sdk.connection.pool import make_way
from sdk.connection.threads import Step
from sdk.connection.verbs import Verb
from sdk.failure import text_of, traceback_of
from sdk.masking import hiding

if TYPE_CHECKING:
    from sdk.connection.platforms.platform import Platform

LEAST_SECONDS: Final = 1.0
"""With less time left, nothing is tried."""

_PAUSE_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)


class Rescue:
    """Logs in again and takes back what a session has left. A device that restarts accepts no login at first. So this
    tries for `seconds`, unless the device refuses for good. It does the same if this machine lacks a descriptor or a
    thread.

    `told` makes the error to raise from the result. Nothing else is raised: it would not say what is in force.
    """

    def __init__(
        self,
        target: Target,
        take_back: Callable[[Platform, Deadline], Restoration],
        told: Callable[[Restoration | None], DeviceError],
        seconds: float,
    ) -> None:
        self._target = target
        self._take_back = take_back
        self._told = told
        self._seconds = seconds
        self._device: Device | None = None
        self._is_aborted = threading.Event()

    def step(self) -> Step[DeviceError]:
        """Return this as a step. The step returns the error to raise."""
        name = f"taking back a change of {self._target.login.where}"
        return Step(name, self._run, self._abort, lambda: self._told(None))

    def _run(self) -> DeviceError:
        deadline = Deadline(self._seconds)
        while not self._is_aborted.is_set():
            try:
                return self._told(self._attempt(deadline))
            except Exception as error:
                is_over = not _may_pass(error) or deadline.left_seconds < LEAST_SECONDS + _PAUSE_SECONDS
                if not self._is_aborted.is_set():
                    self._log_failure(error, is_over=is_over)
                if is_over:
                    break
            self._is_aborted.wait(_PAUSE_SECONDS)
        return self._told(None)

    def _attempt(self, deadline: Deadline) -> Restoration:
        self._device = device = Device(self._target)
        try:
            device.open(deadline, make_way)
            return device.do(Verb("taking the change back", self._take_back), deadline)
        finally:
            device.close()

    def _log_failure(self, error: Exception, *, is_over: bool) -> None:
        where, hide = self._target.login.where, hiding(self._target.login.secrets)
        if is_over and not isinstance(error, DeviceError):
            _log.error("%s: taking the change back\n%s", where, traceback_of(error, hide))
        else:
            _log.info("%s: what the change left could not be taken back: %s", where, text_of(error, hide))

    def _abort(self) -> None:
        self._is_aborted.set()
        if self._device is not None:
            self._device.abort()


def _may_pass(error: Exception) -> bool:
    """Whether another attempt can succeed."""
    if isinstance(error, DeviceError):
        return error.retryable
    # Only a plain RuntimeError, which Python raises if no thread can be started, not a NotImplementedError.
    return isinstance(error, OSError) or type(error) is RuntimeError
