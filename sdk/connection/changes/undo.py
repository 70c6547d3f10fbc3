"""Gives a device an earlier configuration back, and checks that it has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sdk.connection.changes.comparison import hidden_lines
from sdk.connection.changes.device import ConfigurableDevice
from sdk.connection.changes.difference import difference
from sdk.connection.changes.lines import ConfigurationLine, Tree, are_same, moved_lines, unified_diff
from sdk.connection.changes.secrecy import without_secrets
from sdk.connection.deadline import Deadline

MOST_PASSES: Final = 5
"""How often a difference is sent. Lines that a device removes along with another line come back in the second pass."""

_SHOWN_LINES: Final = 10


@dataclass(frozen=True, slots=True)
class Restoration:
    """The result of giving a device an earlier configuration back.

    `is_restored`: it has the same lines in the same sections. `is_identical`: and in the same order. `remaining` is a
    unified diff from what the device has now to what it should have, empty if nothing is left. `sent` are the lines
    that the device accepted, `refused` those that it refused in the last pass, with its words. `timer_left`: if the
    device refused to stop the timer of the change, it says what goes on there and why; otherwise "". `moved` are lines
    of a restored configuration that the device has put in another place. `not_shown` are lines of the change that the
    device accepted and shows nowhere: they may still be in force.
    """

    is_restored: bool
    is_identical: bool
    passes: int
    remaining: str = field(default="", repr=False)
    sent: tuple[ConfigurationLine, ...] = field(default=(), repr=False)
    refused: tuple[tuple[ConfigurationLine, str], ...] = field(default=(), repr=False)
    timer_left: str = ""
    moved: tuple[ConfigurationLine, ...] = field(default=(), repr=False)
    not_shown: tuple[ConfigurationLine, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """In words, without secrets, with at most ten lines of the difference."""
        if not self.is_restored:
            text = f"Its configuration is NOT as it was before. {self.difference_in_words()}"
        elif self.moved:
            text = f"Its configuration has the lines that it had before. {self.order_in_words()}"
        else:
            text = "Its configuration is as it was before."
        return " ".join(filter(None, (text, self.not_shown_in_words(), self.timer_left)))

    def difference_in_words(self) -> str:
        """Say which lines differ, without secrets, at most ten."""
        return f"What is missing (+) and too much (-): {listed(changed_lines(self.remaining))}."

    def order_in_words(self) -> str:
        """Say which lines are in another place, without secrets, at most ten."""
        lines = listed([str(line) for line in self.moved])
        return f"But some lines stand in another place than before: {lines}. Look whether their order counts."

    def not_shown_in_words(self) -> str:
        """Say which lines may still be in force although the device does not show them, as above; "" for none."""
        if not self.not_shown:
            return ""
        lines = listed([str(line) for line in self.not_shown])
        return f"But lines that the device took and does not show may still be in force: {lines}. Look at the device."


def changed_lines(diff: str) -> list[str]:
    """Return the lines of a unified diff that came or went, without its headers."""
    return [line for line in diff.splitlines() if line[:1] in ("+", "-") and line[:3] not in ("+++", "---")]


def listed(lines: Sequence[str]) -> str:
    """Return lines as one text for a message: without secrets, at most ten."""
    shown = "; ".join(without_secrets(line) for line in lines[:_SHOWN_LINES])
    return f"{shown}; and {len(lines) - _SHOWN_LINES} more" if len(lines) > _SHOWN_LINES else shown


def restore_tree(
    device: ConfigurableDevice,
    wanted: Tree,
    *,
    deadline: Deadline,
    taken_before: Sequence[ConfigurationLine] = (),
) -> Restoration:
    """Send the difference to `wanted` until the device has it, or nothing changes any more.

    It goes on after a refused line: the line to remove may have gone along with another one.
    `taken_before` are lines that the device accepted since it had `wanted`. The result lists those that it does not
    show.

    Raises:
        DeviceError: the session ended, or time ran out. The device has a part of `wanted` then.
    """
    sent: list[ConfigurationLine] = []
    refused: list[tuple[ConfigurationLine, str]] = []
    first = now = device.dialect.read(device.get_config(deadline=deadline))
    passes = 0
    while now != wanted and passes < MOST_PASSES:
        # From the second pass on, a line is removed before it is replaced: some devices refuse to replace.
        lines = difference(now, wanted, device.dialect, is_thorough=passes > 0)
        if not lines:
            break
        passes += 1
        taken, refused = _send_all(device, lines, deadline)
        sent += taken
        before, now = now, device.dialect.read(device.get_config(deadline=deadline))
        if now == before and passes > 1:
            break
    is_restored = are_same(now, wanted)
    return Restoration(
        is_restored=is_restored,
        is_identical=now == wanted,
        passes=passes,
        remaining="" if is_restored else unified_diff(now, wanted),
        sent=tuple(sent),
        refused=tuple(refused),
        moved=tuple(moved_lines(now, wanted)) if is_restored else (),
        not_shown=hidden_lines(wanted, first, taken_before, device.dialect),
    )


def _send_all(
    device: ConfigurableDevice, lines: tuple[ConfigurationLine, ...], deadline: Deadline
) -> tuple[list[ConfigurationLine], list[tuple[ConfigurationLine, str]]]:
    taken: list[ConfigurationLine] = []
    refused: list[tuple[ConfigurationLine, str]] = []
    device.enter_configuration(deadline=deadline)
    for line in lines:
        words = device.send_config_line(line, deadline=deadline)
        if words:
            refused.append((line, words))
        else:
            taken.append(line)
    device.leave_configuration(deadline=deadline)  # what it says of its sections, the next look shows better
    return taken, refused
