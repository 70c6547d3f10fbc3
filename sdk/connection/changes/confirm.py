"""Keeps a change, or takes it back, after the caller has looked at it."""

from __future__ import annotations

from dataclasses import replace

from sdk.connection.changes.applied import Applied
from sdk.connection.changes.apply import take_back, wait_until_restored
from sdk.connection.changes.comparison import hidden_lines
from sdk.connection.changes.device import ConfigurableDevice, ConfirmTimer
from sdk.connection.changes.failures import not_confirmed, not_restored, too_late
from sdk.connection.changes.lines import are_same, unified_diff
from sdk.connection.changes.plan import Plan
from sdk.connection.changes.undo import Restoration
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, RefusedCommandError


def confirm(device: ConfigurableDevice, applied: Applied, *, deadline: Deadline) -> None:
    """Stop the timer on the device, to keep the change. Without a timer there is nothing to do.

    Raises:
        ConfirmedTooLateError: the timer has run out; the message says what the device has now.
        RefusedCommandError: the device refuses to stop its timer, which goes on; the message says when it acts.
        DeviceError: the device did not answer, and its timer goes on.
    """
    if applied.timer is None:
        return
    try:
        was_running = device.cancel_timer(applied.timer, deadline=deadline)
    except RefusedCommandError as error:
        raise not_confirmed(applied.timer, error) from None
    if not was_running:
        raise _too_late(device, applied, applied.timer, deadline)
    if applied.record is not None:
        applied.record.confirmed()


def _too_late(
    device: ConfigurableDevice, applied: Applied, timer: ConfirmTimer, deadline: Deadline
) -> DeviceError:
    """See what the timer has left: lines that were sent after its end are in force, and nothing takes them back."""
    how = "has run out"
    try:
        now = wait_until_restored(device, applied.base, deadline=deadline)
    except DeviceError:
        return too_late(device.where, timer, how, None)
    is_restored = are_same(now, applied.base)
    restoration = Restoration(
        is_restored=is_restored,
        is_identical=now == applied.base,
        passes=0,
        remaining="" if is_restored else unified_diff(now, applied.base),
    )
    return too_late(device.where, timer, how, restoration)


def undo(device: ConfigurableDevice, plan: Plan, applied: Applied, *, deadline: Deadline) -> Restoration:
    """Give the device back the configuration that it had when the plan was made, then stop its timer.

    Raises:
        NotRestoredError: something is left, perhaps only the timer; the message lists it.
        DeviceError: the device did not answer; a part may be taken back.
    """
    restoration = take_back(device, plan.base, applied.timer, applied.record, deadline=deadline)
    after = device.dialect.read(applied.text)  # others may have changed the device since then
    hidden = hidden_lines(plan.base, after, applied.applied, device.dialect)
    restoration = replace(restoration, not_shown=hidden)
    if not restoration.is_restored or restoration.timer_left:
        raise not_restored(device.where, restoration, applied.timer)
    return restoration
