"""Sends a plan to a device, line by line, and checks what it has changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.changes.applied import Applied, Progress, Refusal
from sdk.connection.changes.comparison import compare
from sdk.connection.changes.device import ConfigurableDevice, ConfirmTimer
from sdk.connection.changes.difference import difference
from sdk.connection.changes.failures import (
    interrupted,
    line_refused,
    lost_before_first_line,
    not_begun,
    timer_left,
    too_late,
)
from sdk.connection.changes.lines import ConfigurationLine, Tree, are_same, fingerprint_of, unified_diff
from sdk.connection.changes.plan import Plan
from sdk.connection.changes.record import ChangeRecord
from sdk.connection.changes.undo import Restoration, restore_tree
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, RefusedCommandError, fail

# The share of the remaining time for the lines; the rest is for taking them back.
_SHARE_OF_LINES: Final = 0.6
_RESTORE_SECONDS: Final = 10.0
"""How long a device may take to restore its configuration when its timer has run out."""

_LOOK_SECONDS: Final = 0.5


def apply_plan(
    device: ConfigurableDevice,
    plan: Plan,
    *,
    deadline: Deadline,
    confirm_seconds: float | None = None,
    progress: Progress | None = None,
) -> Applied:
    """Send the lines of `plan`, one by one. A refused line ends this, and the lines before it are taken back.

    `progress` shows the caller how far it has come.

    Raises:
        NoConfirmTimerError, ConfigurationChangedError: nothing was sent.
        TimerUnknownError: the session ended while the timer was started. No line was sent.
        LineRefusedError: the device refused a line; the message says what came of the undo.
        ConfirmedTooLateError: the timer ran out before the last line; the message says what the device has now.
        ChangeInterruptedError: the session ended between two lines.
        DeviceError: the device did not answer before the first line.
    """
    reason = device.why_no_timer() if confirm_seconds is not None else None
    if reason is not None:
        raise fail(Cause.NO_CONFIRM_TIMER, device.where, detail=reason)
    text = device.get_config(deadline=deadline)
    if fingerprint_of(device.dialect.read(text)) != plan.base_fingerprint:
        raise fail(Cause.CONFIGURATION_CHANGED, device.where)
    if plan.is_empty:
        return Applied(text=text)
    progress = progress or Progress()
    if confirm_seconds is not None:
        inverse = difference(plan.predicted, plan.base, device.dialect)
        progress.wants_timer = True
        started_at = time.monotonic()
        progress.timer = device.start_timer(confirm_seconds, inverse, deadline=deadline)
        progress.timer_ends_at = started_at + progress.timer.seconds
    progress.record = ChangeRecord(device.where, len(plan.commands))
    refused = _send(device, plan, progress, deadline)
    if refused is not None:
        raise _refused(device, plan, progress, refused, deadline)
    if len(progress.applied) < len(plan.commands):
        raise _ran_out(device, plan, progress, deadline)
    return _looked_at(device, plan, progress, deadline)


def _send(device: ConfigurableDevice, plan: Plan, progress: Progress, deadline: Deadline) -> Refusal | None:
    limit = deadline.shorter(round(deadline.left_seconds * _SHARE_OF_LINES, 1))
    refused = None
    try:
        device.enter_configuration(deadline=limit)
        _note_begin(progress)
        for line in plan.commands:
            if progress.timer_is_over:
                break  # the device will restore its configuration, and would keep lines that come after that
            refused = _refused_section(progress, device.leave_sections(line, deadline=limit))
            if refused is None and (words := device.send_config_line(line, deadline=limit)):
                refused = Refusal(line, words)
            if refused is not None:
                break
            progress.applied.append(line)
        words = device.leave_configuration(deadline=limit)
        refused = refused or _refused_section(progress, words)
    except DeviceError as error:
        if not progress.has_begun:
            raise _not_begun(device, progress, error, deadline) from None
        raise interrupted(device.where, plan, tuple(progress.applied), progress.timer, error) from None
    return refused


def _refused_section(progress: Progress, words: str) -> Refusal | None:
    """Return the refusal of the section that was left last, if the device said such words; None for none.

    It is that of the section's header, where the change has sent it, and nothing of the section counts as taken.
    """
    if not words or not progress.applied:
        return None
    last = progress.applied.pop()
    header = ConfigurationLine(last.parents[-1], last.parents[:-1]) if last.parents else last
    if header not in progress.applied:
        return Refusal(last, words)
    del progress.applied[progress.applied.index(header) :]
    return Refusal(header, words)


def _not_begun(
    device: ConfigurableDevice, progress: Progress, error: DeviceError, deadline: Deadline
) -> DeviceError:
    """Stop the timer of a change whose configuration mode was not entered. Return the error to raise."""
    timer = progress.timer
    if timer is None:
        return error
    if not isinstance(error, RefusedCommandError):
        return lost_before_first_line(device.where, timer, error)
    try:
        device.cancel_timer(timer, deadline=deadline)
    except RefusedCommandError as refused:
        progress.timer = None  # nothing more can be done about it, and the error reports it
        return not_begun(error, timer_left(timer, refused))
    except DeviceError as lost:
        return lost_before_first_line(device.where, timer, lost)
    progress.timer = None
    return error


def _note_begin(progress: Progress) -> None:
    progress.has_begun = True
    if progress.record is not None:
        progress.record.begin(None if progress.timer is None else progress.timer.seconds)


def _looked_at(device: ConfigurableDevice, plan: Plan, progress: Progress, deadline: Deadline) -> Applied:
    applied, timer = tuple(progress.applied), progress.timer
    try:
        text = device.get_config(deadline=deadline)
    except DeviceError as error:
        raise interrupted(device.where, plan, applied, timer, error) from None
    if progress.record is not None:
        progress.record.made()
    now = device.dialect.read(text)
    return Applied(
        diff=unified_diff(plan.base, now),
        applied=applied,
        comparison=compare(plan.base, plan.predicted, now, applied, device.dialect),
        timer=timer,
        text=text,
        base=plan.base,
        record=progress.record,
    )


def _refused(
    device: ConfigurableDevice, plan: Plan, progress: Progress, refused: Refusal, deadline: Deadline
) -> DeviceError:
    applied, timer = tuple(progress.applied), progress.timer
    try:
        restoration = take_back(device, plan.base, timer, progress.record, taken=applied, deadline=deadline)
    except DeviceError as error:
        return interrupted(device.where, plan, applied, timer, error, refused=refused)
    outcome = Applied(applied=applied, refused=refused, restoration=restoration)
    return line_refused(device.where, plan, outcome, refused, restoration, timer)


def _ran_out(device: ConfigurableDevice, plan: Plan, progress: Progress, deadline: Deadline) -> DeviceError:
    """Take a change back after its timer has run out in the middle of it. Return the error to raise."""
    timer, applied = progress.timer, tuple(progress.applied)
    assert timer is not None
    try:
        # First wait for the device alone: its lines and ours would mix.
        wait_until_restored(device, plan.base, deadline=deadline)
        restoration = take_back(device, plan.base, timer, progress.record, deadline=deadline)
    except DeviceError as error:
        return interrupted(device.where, plan, applied, timer, error)
    how = f"ran out before line {len(applied) + 1} of {len(plan.commands)}"
    return too_late(device.where, timer, how, restoration)


def wait_until_restored(device: ConfigurableDevice, base: Tree, *, deadline: Deadline) -> Tree:
    """Read the configuration until a device whose timer has run out has `base` again, or its time for that is over.

    Returns the configuration that it has then. Raises `DeviceError`.
    """
    until = deadline.shorter(min(_RESTORE_SECONDS, deadline.left_seconds / 2))
    while True:
        now = device.dialect.read(device.get_config(deadline=deadline))
        if are_same(now, base) or until.left_seconds <= _LOOK_SECONDS:
            return now
        time.sleep(_LOOK_SECONDS)


def take_back(
    device: ConfigurableDevice,
    base: Tree,
    timer: ConfirmTimer | None,
    record: ChangeRecord | None,
    *,
    taken: Sequence[ConfigurationLine] = (),
    deadline: Deadline,
) -> Restoration:
    """Give the device the configuration `base` back, and stop its timer if that worked. Raises `DeviceError`.

    The result lists those of the lines `taken` before that the device does not show: they may still be in force. If
    the device refuses to stop the timer, the result's `timer_left` says so.
    """
    if record is not None:
        # The device does not show lines either that an earlier attempt has taken back.
        taken = () if record.is_being_restored else taken
        record.restoring()
    restoration = restore_tree(device, base, deadline=deadline, taken_before=taken)
    if not restoration.is_restored:
        return restoration
    if record is not None:
        record.over()
    return restoration if timer is None else stop_timer(device, timer, restoration, deadline=deadline)


def stop_timer(
    device: ConfigurableDevice, timer: ConfirmTimer, restoration: Restoration, *, deadline: Deadline
) -> Restoration:
    """Stop the timer of a change that is no longer in force; if the device refuses that, `timer_left` says so."""
    try:
        device.cancel_timer(timer, deadline=deadline)
    except RefusedCommandError as error:  # the device would refuse it in another session, too
        return replace(restoration, timer_left=timer_left(timer, error))
    return restoration
