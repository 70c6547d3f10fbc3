"""One change on its way to a device: blocking code for both interfaces, and what happens if its session ends."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from sdk.connection.changes import apply, confirm, restore
from sdk.connection.changes.applied import Applied, Progress
from sdk.connection.changes.device import ConfigurableDevice
from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.errors import ChangeInterruptedError, ConfirmedTooLateError, LineRefusedError
from sdk.connection.changes.failures import interrupted, lost_before_first_line
from sdk.connection.changes.plan import Plan
from sdk.connection.changes.restore import Rollback
from sdk.connection.changes.undo import Restoration
from sdk.connection.deadline import Deadline, checked_seconds
from sdk.connection.device import Target
from sdk.connection.errors import DeviceError
from sdk.connection.rescue import LEAST_SECONDS, Rescue
from sdk.connection.threads import Step
from sdk.connection.verbs import Verb

if TYPE_CHECKING:
    from sdk.connection.platforms.platform import Platform

DEFAULT_CHANGE_SECONDS = 120.0

_log = logging.getLogger(__name__)
_SAYS_WHAT_IS_LEFT = (LineRefusedError, ConfirmedTooLateError)


def configurable(platform: Platform) -> ConfigurableDevice:
    """Return the platform's object as a device whose configuration can be changed.

    Raises:
        NotSupportedError: the platform's plugin has no methods for changes.
    """
    if not hasattr(platform, "send_config_line"):
        raise platform.lacks("changes of the configuration")
    return cast("ConfigurableDevice", platform)


def read() -> Verb[tuple[str, Dialect]]:
    """Read the configuration, and return it with its dialect."""

    def run(platform: Platform, deadline: Deadline) -> tuple[str, Dialect]:
        device = configurable(platform)
        return device.get_config(deadline=deadline), device.dialect

    return Verb("reading the configuration", run)


def confirm_change(applied: Applied) -> Verb[None]:
    """Keep a change."""
    return Verb(
        "confirming the change",
        lambda platform, end: confirm.confirm(configurable(platform), applied, deadline=end),
    )


def undo_change(plan: Plan, applied: Applied) -> Verb[Restoration]:
    """Take a change back."""
    return Verb(
        "taking the change back",
        lambda platform, end: confirm.undo(configurable(platform), plan, applied, deadline=end),
    )


def check_source(stored: str | None, running: str, *, will_save: bool) -> Verb[str]:
    """Check whether a rollback would have something to restore."""
    return Verb(
        "looking for what a rollback could restore",
        lambda platform, end: restore.check_source(
            configurable(platform), stored, running, will_save=will_save, deadline=end
        ),
    )


def roll_back(stored: str | None, lines: str | Iterable[str] | None) -> Verb[Rollback]:
    """Give the device an earlier configuration back."""
    return Verb(
        "restoring the configuration",
        lambda platform, end: restore.roll_back(configurable(platform), stored, lines=lines, deadline=end),
    )


class Changing:
    """A plan that is being applied to the device of `target`, within `timeout` seconds."""

    def __init__(self, target: Target, plan: Plan, confirm_seconds: float | None, timeout: float) -> None:
        self._target = target
        self._plan = plan
        if confirm_seconds is not None:
            checked_seconds(confirm_seconds, "confirm_seconds")
        self._confirm_seconds = confirm_seconds
        self._deadline = Deadline(timeout)
        self._progress = Progress()
        self._is_rescued = False

    @property
    def left_seconds(self) -> float:
        """The seconds that are left."""
        return self._deadline.left_seconds

    def verb(self) -> Verb[Applied]:
        """The step that makes the change."""

        def run(platform: Platform, deadline: Deadline) -> Applied:
            self._deadline = deadline  # counted from the beginning of this step
            return apply.apply_plan(
                configurable(platform),
                self._plan,
                deadline=deadline,
                confirm_seconds=self._confirm_seconds,
                progress=self._progress,
            )

        return Verb("the change", run)

    def told(self, error: DeviceError, restoration: Restoration | None = None) -> DeviceError:
        """Return the error to raise for `error`. If any of the change may be in force, it says what."""
        is_complete = isinstance(error, ChangeInterruptedError) and restoration is None
        if is_complete or isinstance(error, _SAYS_WHAT_IS_LEFT):
            return error
        reason = (error.reason if isinstance(error, ChangeInterruptedError) else None) or error
        if not self._progress.has_begun:
            timer = self._progress.timer
            where = self._target.login.where
            return error if timer is None else lost_before_first_line(where, timer, reason, restoration)
        return interrupted(
            self._target.login.where,
            self._plan,
            tuple(self._progress.applied),
            self._progress.timer,
            reason,
            restoration=restoration,
        )

    def rescue(self, error: DeviceError) -> Step[DeviceError] | None:
        """Return a step that takes back, in a new session, what an ended session has left; None if nothing is left.

        The step returns the error to raise.
        """
        has_left_something = self._progress.has_begun or self._progress.timer is not None
        if isinstance(error, _SAYS_WHAT_IS_LEFT) or not has_left_something:
            return None
        if self.left_seconds < LEAST_SECONDS:
            return None
        self._is_rescued = True
        seconds = round(self.left_seconds, 1)
        rescue = Rescue(self._target, self._take_back, lambda done: self.told(error, done), seconds)
        return rescue.step()

    def told_without_rescue(self, error: DeviceError, failure: Exception) -> DeviceError:
        """Return the error to raise for `error` if the rescue did not begin, or did not end in time."""
        _log.info("%s: what the change left could not be taken back: %s", self._target.login.where, failure)
        return self.told(error)

    def _take_back(self, platform: Platform, deadline: Deadline) -> Restoration:
        timer = self._progress.timer
        if not self._progress.has_begun and timer is not None:
            unchanged = Restoration(is_restored=True, is_identical=True, passes=0)
            return apply.stop_timer(configurable(platform), timer, unchanged, deadline=deadline)
        restoration = apply.take_back(
            configurable(platform),
            self._plan.base,
            timer,
            self._progress.record,
            taken=tuple(self._progress.applied),
            deadline=deadline,
        )
        # If nothing had to be sent, the device may have restored itself (timer, restart), and then hides no line.
        return restoration if restoration.sent else replace(restoration, not_shown=())

    def log_cancelled(self) -> None:
        """Log in the job's log what is in force when the change is cancelled: no error can say it then."""
        where, timer = self._target.login.where, self._progress.timer
        if self._progress.has_begun:
            done, count = len(self._progress.applied), len(self._plan.commands)
            _log.error(
                "%s: the change was cancelled after %d of %d lines, %s. %s",
                where,
                done,
                count,
                "which another session was taking back: some may be in force"
                if self._is_rescued
                else "which are in force",
                timer or "Roll it back, or look at it.",
            )
        elif timer is not None:
            _log.error("%s: the change was cancelled before its first line. %s", where, timer)
        elif self._progress.wants_timer:
            _log.error(
                "%s: the change was cancelled before its first line, while the device started its timer. If that runs, "
                "it restores the configuration of now when its time comes, also over a later change",
                where,
            )
