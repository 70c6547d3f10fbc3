"""Sending a plan to a device, line by line, and looking what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.changes.applied import Applied, Progress, Refusal
from sdk.connection.changes.comparison import compare
from sdk.connection.changes.device import ConfigurableDevice, ConfirmTimer
from sdk.connection.changes.difference import difference
from sdk.connection.changes.failures import interrupted, line_refused, timer_left
from sdk.connection.changes.lines import Tree, fingerprint_of, unified_diff
from sdk.connection.changes.plan import Plan
from sdk.connection.changes.record import ChangeRecord
from sdk.connection.changes.undo import Restoration, restore_tree
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, RefusedCommandError, fail

# Of the time that is left, for the lines; the rest is for taking them back.
_SHARE_OF_LINES: Final = 0.6


def apply_plan(
    device: ConfigurableDevice,
    plan: Plan,
    *,
    deadline: Deadline,
    confirm_seconds: float | None = None,
    progress: Progress | None = None,
) -> Applied:
    """Send the lines of `plan`, one by one. The first one that is refused ends it, and those before are taken back.

    `progress` says from outside how far it has come.

    Raises:
        NoConfirmTimerError, ConfigurationChangedError: nothing was sent.
        TimerUnknownError: the session ended while the timer was started. No line was sent.
        LineRefusedError: the device refused a line; the message says what came of the undo.
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
        progress.timer = device.start_timer(confirm_seconds, inverse, deadline=deadline)
    progress.record = ChangeRecord(device.where, len(plan.commands))
    refused = _send(device, plan, progress, deadline)
    if refused is not None:
        raise _refused(device, plan, progress, refused, deadline)
    return _looked_at(device, plan, progress, deadline)


def _send(device: ConfigurableDevice, plan: Plan, progress: Progress, deadline: Deadline) -> Refusal | None:
    limit = deadline.shorter(round(deadline.left_seconds * _SHARE_OF_LINES, 1))
    refused = None
    try:
        device.enter_configuration(deadline=limit)
        _note_begin(progress)
        for line in plan.commands:
            words = device.send_config_line(line, deadline=limit)
            if words:
                refused = Refusal(line, words)
                break
            progress.applied.append(line)
        device.leave_configuration(deadline=limit)
    except DeviceError as error:
        if not progress.has_begun and progress.timer is None:
            raise  # nothing was sent
        raise interrupted(device.where, plan, tuple(progress.applied), progress.timer, error) from None
    return refused


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
        record=progress.record,
    )


def _refused(
    device: ConfigurableDevice, plan: Plan, progress: Progress, refused: Refusal, deadline: Deadline
) -> DeviceError:
    applied, timer = tuple(progress.applied), progress.timer
    try:
        restoration = take_back(device, plan.base, timer, progress.record, deadline=deadline)
    except DeviceError as error:
        return interrupted(device.where, plan, applied, timer, error, refused=refused)
    outcome = Applied(applied=applied, refused=refused, restoration=restoration)
    return line_refused(device.where, plan, outcome, refused, restoration, timer)


def take_back(
    device: ConfigurableDevice,
    base: Tree,
    timer: ConfirmTimer | None,
    record: ChangeRecord | None,
    *,
    deadline: Deadline,
) -> Restoration:
    """Give the device the configuration `base` back, and stop its timer if that worked. Raises `DeviceError`.

    Where the device refuses to stop the timer, `timer_left` of what is returned says so.
    """
    if record is not None:
        record.restoring()
    restoration = restore_tree(device, base, deadline=deadline)
    if not restoration.is_restored:
        return restoration
    if record is not None:
        record.over()
    if timer is not None:
        try:
            device.cancel_timer(timer, deadline=deadline)
        except RefusedCommandError as error:  # it would refuse that in another session too
            return replace(restoration, timer_left=timer_left(timer, error))
    return restoration
