"""Rolls a change back from another process. It has no plan, only a configuration that somebody has kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.changes.comparison import hidden_lines
from sdk.connection.changes.device import ConfigurableDevice
from sdk.connection.changes.difference import difference
from sdk.connection.changes.lines import ConfigurationLine, Tree, are_same, paths_of, unified_diff
from sdk.connection.changes.merging import is_visible, without_change
from sdk.connection.changes.plan import Plan, foretell
from sdk.connection.changes.record import ChangeRecord
from sdk.connection.changes.undo import Restoration, changed_lines, listed, restore_tree
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail

INVENTORY = "current_configuration"
STARTUP = "startup configuration"
_IS_MISSING: Final = re.compile(r"not present|no such file", re.IGNORECASE)
"""The words with which IOS and a shell say that there is nothing to show."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """The result of a rollback.

    `source` says where the earlier configuration came from. `is_complete`: the device has it again. `foreign` is a
    unified diff of the differences that can't be traced to this change: they were left as they are. `restoration` is
    None if the device shows nothing of the change; nothing was sent then.
    """

    source: str
    is_complete: bool
    restoration: Restoration | None = None
    foreign: str = field(default="", repr=False)

    def __str__(self) -> str:
        text = self._what_was_sent()
        if self.restoration is not None and self.restoration.is_restored and self.restoration.not_shown:
            text += f" {self.restoration.not_shown_in_words()}"
        if self.foreign:
            lines = listed(changed_lines(self.foreign))
            text += f" What differs from the {self.source} besides was left as it is: {lines}"
        return text

    def _what_was_sent(self) -> str:
        match self.restoration:
            case None if self.foreign:
                return "Nothing of the change is shown as it was sent, so nothing was sent."
            case None:
                return "The device shows nothing of the change, so nothing was sent."
            case Restoration(is_restored=False):
                return str(self.restoration)
            case Restoration(sent=()) if self.foreign:
                return "What the lines of the change did can't be told from what others did, so nothing was sent."
            case Restoration(sent=()):
                return f"The device has its {self.source} already, so nothing was sent."
            case Restoration(moved=moved) as restoration if moved and not self.foreign:
                return f"The change was taken back, by the {self.source}. {restoration.order_in_words()}"
            case _:
                return f"The change was taken back, by the {self.source}."


def check_source(
    device: ConfigurableDevice, stored: str | None, running: str, *, will_save: bool, deadline: Deadline
) -> str:
    """Check, before a change, that a rollback could restore the configuration `running`; return from where.

    `stored` is the `current_configuration` of the inventory. Without it, the startup configuration must be the same as
    the running one, and must stay so: if the change were saved, the earlier configuration would be lost.

    Raises:
        NothingToRestoreError: neither is equal to what the device runs.
    """
    now = device.dialect.read(running)
    if stored is not None and stored.strip():
        if are_same(device.dialect.read(stored), now):
            return INVENTORY
        detail = f"its `{INVENTORY}` in the inventory is not what it runs"
        raise _nothing(device, detail)
    if will_save:
        detail = f"the inventory has no `{INVENTORY}`, and saving the change would overwrite its {STARTUP}"
        raise _nothing(device, detail)
    if are_same(device.dialect.read(_startup(device, deadline)), now):
        return STARTUP
    detail = f"the inventory has no `{INVENTORY}`, and its {STARTUP} is not what it runs"
    raise _nothing(device, detail)


def roll_back(
    device: ConfigurableDevice,
    stored: str | None,
    *,
    deadline: Deadline,
    lines: str | Iterable[str] | None = None,
) -> Rollback:
    """Give the device the configuration `stored` back, or its startup configuration if there is no `stored`.

    With `lines`, the lines of the change, only their effects are taken back. Other differences are left and reported:
    they may be the work of somebody else, or a line of the change that the device shows in another form.

    Raises:
        NothingToRestoreError: there is neither, or the startup configuration holds the change. Nothing was sent.
        DeviceError: the device did not answer; it may have a part of the earlier configuration.
    """
    source = INVENTORY if stored is not None and stored.strip() else STARTUP
    text = stored if stored is not None and source == INVENTORY else _startup(device, deadline)
    base = device.dialect.read(text)
    if not base:
        raise _nothing(device, f"its {source} is empty")
    if lines is None:
        restoration = _restored(device, base, deadline)
        return Rollback(source, restoration.is_restored, restoration)
    plan = foretell(text, lines, device.dialect)
    # The inventory is from before the run. The startup configuration may have been saved since.
    if source == STARTUP and are_same(base, plan.predicted):
        detail = (
            f"the inventory has no `{INVENTORY}`, and its {STARTUP} holds the change already, as where it was saved. "
            "What the lines did has to be taken back by hand"
        )
        raise _nothing(device, detail)
    return _take_out(device, plan, source, deadline)


def _take_out(device: ConfigurableDevice, plan: Plan, source: str, deadline: Deadline) -> Rollback:
    base, changed = plan.base, plan.predicted
    now = device.dialect.read(device.get_config(deadline=deadline))
    if not is_visible(now, base, changed):
        # A difference may still be the change: the device shows some lines in another form than they were typed in.
        is_base = are_same(now, base)
        return Rollback(source, is_base, None, "" if is_base else unified_diff(base, now))
    wanted = without_change(now, base, changed, device.dialect)
    taken = _taken(plan, now)
    restoration = replace(
        _restored(device, wanted, deadline), not_shown=hidden_lines(base, now, taken, device.dialect)
    )
    # It is not the same either if others have changed an order that matters.
    is_base = are_same(wanted, base) and not difference(wanted, base, device.dialect)
    foreign = "" if is_base else unified_diff(base, wanted)
    return Rollback(source, restoration.is_restored and not foreign, restoration, foreign)


def _taken(plan: Plan, now: Tree) -> tuple[ConfigurationLine, ...]:
    """Return the lines of a change that the device has taken, as far as it shows: they were sent in their order."""
    shown = frozenset(paths_of(now)) - frozenset(paths_of(plan.base))
    count = max((number for number, line in enumerate(plan.commands, 1) if line in shown), default=0)
    return plan.commands[:count]


def _restored(device: ConfigurableDevice, wanted: Tree, deadline: Deadline) -> Restoration:
    record = ChangeRecord(device.where)
    record.restoring()
    restoration = restore_tree(device, wanted, deadline=deadline)
    if restoration.is_restored:
        record.over()
    return restoration


def _startup(device: ConfigurableDevice, deadline: Deadline) -> str:
    try:
        return device.get_config(deadline=deadline, source="startup")
    except DeviceError as error:
        problem = _not_read(error)
        if problem is None:
            raise
        raise _nothing(device, f"the inventory has no `{INVENTORY}`, and {problem}") from None


def _not_read(error: DeviceError) -> str | None:
    """Return why no startup configuration can be read, in the device's own words if it gave any."""
    said = f': "{error.last_line}"' if error.last_line else ""
    match error.cause:
        case Cause.NOT_SUPPORTED:
            return f"its {STARTUP} can't be read with this login (of FRR: only where bash is the login shell)"
        case Cause.REFUSED_COMMAND if _IS_MISSING.search(error.last_line or ""):
            return f"the device has no {STARTUP}{said}"
        case Cause.REFUSED_COMMAND:
            return f"the device did not show its {STARTUP} to this login{said}"
        case Cause.UNREADABLE_ANSWER:
            return f"what the device shows as its {STARTUP} can't be read as one{said}"
        case _:
            return None


def _nothing(device: ConfigurableDevice, detail: str) -> DeviceError:
    return fail(Cause.NOTHING_TO_RESTORE, device.where, detail=detail)
