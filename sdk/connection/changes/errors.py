"""The errors of a change. The texts are in `sdk.connection.causes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdk.connection.causes import Cause
from sdk.connection.errors import DeviceError

if TYPE_CHECKING:
    from sdk.connection.changes.applied import Applied
    from sdk.connection.changes.undo import Restoration


class ConfigurationChangedError(DeviceError):
    """Somebody has changed the device since the plan was made. Nothing was sent."""

    cause = Cause.CONFIGURATION_CHANGED


class NoConfirmTimerError(DeviceError):
    """The device can't take a change back by itself. Nothing was sent."""

    cause = Cause.NO_CONFIRM_TIMER


class TimerUnknownError(DeviceError):
    """The session ended while the timer of a change was started. It may run, and act later. No line was sent."""

    cause = Cause.TIMER_UNKNOWN


class LineRefusedError(DeviceError):
    """The device refused a line. The lines before it were taken back, or the message says what is left of them.

    `applied` says which lines were sent, which one was refused with which words, and what came of the undo.
    """

    cause = Cause.LINE_REFUSED
    applied: Applied | None = None


class ChangeInterruptedError(DeviceError):
    """The session ended between two lines. The lines before are in force; nobody knows whether the last one is.

    `applied` says which lines are in force, `reason` what ended the session.
    """

    cause = Cause.CHANGE_INTERRUPTED
    applied: Applied | None = None
    reason: DeviceError | None = None


class ChangeUnconfirmedError(DeviceError):
    """A block returned success, but a timer on the device is about to take its change back, or has already done it."""

    cause = Cause.CHANGE_UNCONFIRMED


class ConfirmedTooLateError(DeviceError):
    """The timer of the change ran out before the change was confirmed. The message says what the device has now."""

    cause = Cause.CONFIRMED_TOO_LATE


class NotRestoredError(DeviceError):
    """An undo has left something: lines, or only the change's timer. `restoration` says what."""

    cause = Cause.NOT_RESTORED
    restoration: Restoration | None = None


class NothingToRestoreError(DeviceError):
    """There is no configuration that the device could get back. Nothing was sent."""

    cause = Cause.NOTHING_TO_RESTORE
