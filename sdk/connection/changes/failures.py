"""The errors of a change, in words: what is in force on the device, what nobody knows, and what takes it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.changes.applied import Applied, Refusal
from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.errors import (
    ChangeInterruptedError,
    ConfirmedTooLateError,
    LineRefusedError,
    NotRestoredError,
    TimerUnknownError,
)
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.changes.plan import Plan
from sdk.connection.changes.secrecy import without_secrets
from sdk.connection.changes.undo import Restoration
from sdk.connection.errors import DeviceError, RefusedCommandError, fail


def line_refused(
    where: str,
    plan: Plan,
    applied: Applied,
    refused: Refusal,
    restoration: Restoration,
    timer: ConfirmTimer | None,
) -> LineRefusedError:
    """Return the error for a line that the device refused, after the lines before it were taken back."""
    failure = fail(
        Cause.LINE_REFUSED,
        where,
        number=len(applied.applied) + 1,
        count=len(plan.commands),
        line=without_secrets(str(refused.line)),
        words=without_secrets(refused.words),
        outcome=_told(restoration, None if restoration.is_restored else timer),
    )
    assert isinstance(failure, LineRefusedError)
    failure.applied = applied
    return failure


def not_restored(where: str, restoration: Restoration, timer: ConfirmTimer | None = None) -> NotRestoredError:
    """Return the error for an undo that has left something: lines, or only the timer that the device did not stop."""
    what, detail, advice = "could not be given", _told(restoration, timer), "Correct it by hand."
    if restoration.is_restored:
        what, detail, advice = "was given", restoration.timer_left.removesuffix("."), "Stop it by hand."
    failure = fail(Cause.NOT_RESTORED, where, what=what, detail=detail, advice=advice)
    assert isinstance(failure, NotRestoredError)
    failure.restoration = restoration
    return failure


def timer_unknown(timer: ConfirmTimer, stop: str, error: DeviceError) -> TimerUnknownError:
    """Return the error for a session that ended, with `error`, before the device said whether `timer` was started.

    `stop` is the command that stops it on the device.
    """
    failure = fail(
        Cause.TIMER_UNKNOWN,
        error.where,
        timer=f"{timer.kind} ({timer.note})" if timer.note else timer.kind,
        time=f"{datetime.now(UTC) + timedelta(seconds=timer.seconds):%H:%M:%S} UTC",
        reason=without_secrets(str(error)).removesuffix("."),
        stop=stop,
    )
    assert isinstance(failure, TimerUnknownError)
    return failure


def too_late(
    where: str, timer: ConfirmTimer, how: str, restoration: Restoration | None
) -> ConfirmedTooLateError:
    """Return the error for a change that was not confirmed before its timer was over, and `how` that happened.

    `restoration` says what the device has now, None if nobody knows.
    """
    what = "had taken the change back before it was confirmed"
    advice = "Allow more seconds, and make the change again."
    told = "What it has now could not be read"
    if restoration is not None:
        told = _told(restoration, None)
        if not restoration.is_restored:
            what = "has no timer for the change any more, and has not taken all of it back"
            advice = "Correct it by hand."
    detail = f"its {timer.kind} of {timer.seconds:g} s {how}. {told}"
    failure = fail(Cause.CONFIRMED_TOO_LATE, where, what=what, detail=detail, advice=advice)
    assert isinstance(failure, ConfirmedTooLateError)
    return failure


def not_confirmed(timer: ConfirmTimer, error: RefusedCommandError) -> RefusedCommandError:
    """Return the error for a timer that the device refuses to stop: the device's words, and what goes on."""
    text = f"{error} The change was made, and not confirmed.{_timer_note(timer)}"
    return RefusedCommandError(text, where=error.where, retryable=error.retryable, last_line=error.last_line)


def not_begun(error: RefusedCommandError, left: str) -> RefusedCommandError:
    """Return the error for a refused configuration mode if the change's timer goes on; `left` says that."""
    text = f"{error} No line was sent. {left}"
    return RefusedCommandError(text, where=error.where, retryable=error.retryable, last_line=error.last_line)


def timer_left(timer: ConfirmTimer, error: RefusedCommandError) -> str:
    """Return the text about the timer of a change that was taken back, if the device refuses to stop the timer."""
    said = f': "{error.last_line}"' if error.last_line else ""
    return f"But the device refused to stop its {timer.kind}{said}.{_timer_note(timer)}"


def interrupted(
    where: str,
    plan: Plan,
    applied: tuple[ConfigurationLine, ...],
    timer: ConfirmTimer | None,
    error: DeviceError,
    *,
    refused: Refusal | None = None,
    restoration: Restoration | None = None,
) -> ChangeInterruptedError:
    """Return the error for a session that ended during a change: what is in force, and what nobody knows.

    `restoration` is the result of another session that took the lines back, if there could be one.
    """
    after = _timer_note(timer) or _NO_TIMER
    if restoration is not None:
        told = _told(restoration, None if restoration.is_restored else timer)
        after = f" Another session took the lines back. {told}."
    is_back = restoration is not None and restoration.is_restored
    reached = _reached(plan, applied, refused, "were" if is_back else "are")
    failure = fail(
        Cause.CHANGE_INTERRUPTED,
        where,
        reached=reached,
        reason=without_secrets(str(error)).removesuffix("."),
        after=after,
    )
    assert isinstance(failure, ChangeInterruptedError)
    failure.applied = Applied(applied=applied, refused=refused, restoration=restoration, timer=timer)
    failure.reason = error
    return failure


def lost_before_first_line(
    where: str, timer: ConfirmTimer, error: DeviceError, restoration: Restoration | None = None
) -> ChangeInterruptedError:
    """Return the error for a session that ended between the start of the timer and the first line of a change.

    `restoration` is the result of another session that stopped the timer, if there could be one.
    """
    after = _timer_note(timer)
    if restoration is not None:
        after = f" {restoration.timer_left or f'Another session stopped its {timer.kind}.'}"
    failure = fail(
        Cause.CHANGE_INTERRUPTED,
        where,
        reached="no line was sent",
        reason=without_secrets(str(error)).removesuffix("."),
        after=after,
    )
    assert isinstance(failure, ChangeInterruptedError)
    failure.applied = Applied(restoration=restoration, timer=timer)
    failure.reason = error
    return failure


def _reached(plan: Plan, applied: tuple[ConfigurationLine, ...], refused: Refusal | None, are: str) -> str:
    done, count = len(applied), len(plan.commands)
    if refused is not None:
        words = without_secrets(refused.words)
        left = "and in its session those before it could not be taken back"
        return f"line {done + 1} of {count} was refused ({words}), {left}"
    if done == count:
        return f"all {count} lines {are} in force, but what came of them could not be read"
    line = without_secrets(str(plan.commands[done]))
    return f"{done} of {count} lines {are} in force, of line {done + 1} ({line!r}) it is not known"


def _told(restoration: Restoration, timer: ConfirmTimer | None) -> str:
    # The text of the cause adds the full stop.
    return (str(restoration) + _timer_note(timer)).removesuffix(".")


_NO_TIMER: Final = " Nothing takes them back by itself."


def _timer_note(timer: ConfirmTimer | None) -> str:
    if timer is None:
        return ""
    return f" {timer}"
