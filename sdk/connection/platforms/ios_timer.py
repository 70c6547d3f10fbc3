"""The timers of IOS that take a change back: the timer of a confirmed change, otherwise a reload."""

from __future__ import annotations

import math
import re
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.failures import timer_unknown
from sdk.connection.changes.lines import are_same
from sdk.connection.deadline import Deadline
from sdk.connection.errors import (
    DeviceError,
    RefusedCommandError,
    UnreadableAnswerError,
    fail,
)
from sdk.connection.platforms.refusals import words_of
from sdk.connection.platforms.typed_configuration import TypedConfiguration, refusal_in
from sdk.connection.questions import Questions

_REVERT: Final = "revert timer"
_RELOAD: Final = "reload timer"
_STOPS: Final = {_REVERT: "configure confirm", _RELOAD: "reload cancel"}
_MOST_MINUTES: Final = 120
_DIALOGUE_SECONDS: Final = 10.0
# IOS asks because of a flag that a change sets, even one that was taken back. The saved configuration must return.
_SAVE: Final = re.compile(r"save\?\s*\[yes/no\]:?\s*$", re.IGNORECASE)
_CONFIRM: Final = re.compile(r"\[confirm\]\s*$", re.IGNORECASE | re.MULTILINE)
_SCHEDULED: Final = re.compile(r"^.*\breload scheduled\b.*$", re.IGNORECASE | re.MULTILINE)
# Another session or NETCONF holds the lock: no reason to reload the device.
_LOCKED: Final = re.compile(r"configuration mode (?:is )?locked", re.IGNORECASE)


def start(ios: TypedConfiguration, seconds: float, deadline: Deadline) -> ConfirmTimer:
    """Start the timer of a confirmed change. If IOS has none, schedule a reload. Both count in minutes.

    Raises:
        NoConfirmTimerError: neither is possible.
        RefusedCommandError: somebody else has locked the configuration mode. No timer was started.
        TimerUnknownError: the session ended before the device said whether it has started one.
    """
    minutes = max(1, math.ceil(seconds / 60))
    if minutes > _MOST_MINUTES:
        raise fail(
            Cause.NO_CONFIRM_TIMER,
            ios.where,
            detail=f"its timer takes {_MOST_MINUTES} minutes at most",
        )
    timer, line = ConfirmTimer(_REVERT, minutes * 60), f"configure terminal revert timer {minutes}"
    try:
        reply = ios.session.send(line, deadline=deadline)
        was_entered = ios.is_in_configuration
        if was_entered:
            ios.leave_configuration(deadline=deadline)
    except DeviceError as error:
        raise timer_unknown(timer, _STOPS[_REVERT], error) from None
    # The refusal has these words, too: "%Turn config archive on before using Rollback Confirmed Change".
    if was_entered and "Rollback Confirmed Change:" in reply.text:
        return timer
    words = words_of(reply.text)
    if _LOCKED.search(reply.text):
        raise fail(Cause.REFUSED_COMMAND, ios.where, what=line, last_line=words)
    return _schedule_reload(ios, minutes, words, deadline)


def cancel(ios: TypedConfiguration, timer: ConfirmTimer, deadline: Deadline) -> bool:
    """Keep the change. False: there is no timer any more.

    Raises:
        RefusedCommandError: the device refuses the command; the timer goes on.
    """
    line = _STOPS[timer.kind]
    none_runs = "pending" if timer.kind == _REVERT else "No reload"
    said = ios.session.send(line, deadline=deadline).text
    if none_runs in said:
        return False
    # As strict as for a configuration line: if a refusal counted as a remark, the device would reload by surprise.
    words = refusal_in(said) or (words_of(said, ios.refusals) if ios.is_refusal(said) else "")
    if words:
        raise fail(Cause.REFUSED_COMMAND, ios.where, what=line, last_line=words)
    return True


def _is_saved(ios: TypedConfiguration, deadline: Deadline) -> bool:
    try:
        startup = ios.get_config(deadline=deadline, source="startup")
    except (RefusedCommandError, UnreadableAnswerError):  # there is no startup configuration
        return False
    running = ios.get_config(deadline=deadline)
    return are_same(ios.dialect.read(running), ios.dialect.read(startup))


def _schedule_reload(ios: TypedConfiguration, minutes: int, words: str, deadline: Deadline) -> ConfirmTimer:
    if scheduled := _SCHEDULED.search(ios.session.send("show reload", deadline=deadline).text):
        # There is only one reload at a time: ours would replace it, and the confirmation would then cancel it.
        detail = (
            f"it refuses `configure terminal revert timer` ({words}), and somebody has scheduled a reload already: "
            f'"{scheduled[0].strip()}". Configure `archive` with a `path`, or wait for that reload'
        )
        raise fail(Cause.NO_CONFIRM_TIMER, ios.where, detail=detail)
    if not _is_saved(ios, deadline):
        detail = (
            f"it refuses `configure terminal revert timer` ({words}), and a reload would lose what was never saved. "
            "Configure `archive` with a `path`, or save the configuration first"
        )
        raise fail(Cause.NO_CONFIRM_TIMER, ios.where, detail=detail)
    note = f"a reload, as the device refuses `configure terminal revert timer` ({words}): all traffic stops for it"
    timer = ConfirmTimer(_RELOAD, minutes * 60, note)
    line, questions = f"reload in {minutes}", Questions({_SAVE: "no", _CONFIRM: ""})
    try:
        said = ios.session.send(line, deadline=deadline.shorter(_DIALOGUE_SECONDS), questions=questions).text
    except DeviceError as error:
        raise timer_unknown(timer, _STOPS[_RELOAD], error) from None
    if not _CONFIRM.search(said):  # the device went to its prompt, so there is nothing to confirm
        what, words = f"the command {line!r}", words_of(said, ios.refusals)
        raise fail(Cause.UNEXPECTED_ANSWER, ios.where, what=what, expected="[confirm]", last_line=words)
    return timer
