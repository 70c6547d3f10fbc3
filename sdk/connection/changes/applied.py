"""What became of a plan."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sdk.connection.changes.comparison import Comparison
from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.lines import ConfigurationLine, Tree
from sdk.connection.changes.record import ChangeRecord
from sdk.connection.changes.undo import Restoration


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that the device refused, and its words."""

    line: ConfigurationLine = field(repr=False)
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan. `repr` prints none of it: configurations hold secrets.

    `diff` is a unified diff of what really changed. `applied` are the lines that the device accepted, and `refused` is
    the line that it refused; `restoration` then says how well the others were taken back. `comparison` says where the
    plan was wrong. `timer` runs on the device until the change is confirmed or undone. `text` is the configuration now,
    `base` the one before. `record` reports the change to the worker, and goes on with the change.
    """

    diff: str = field(default="", repr=False)
    applied: tuple[ConfigurationLine, ...] = field(default=(), repr=False)
    refused: Refusal | None = None
    restoration: Restoration | None = None
    comparison: Comparison = field(default_factory=Comparison, repr=False)
    timer: ConfirmTimer | None = None
    text: str = field(default="", repr=False)
    base: Tree = field(default=(), repr=False)
    record: ChangeRecord | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class Progress:
    """How far a change has come. It serves whoever must report that when the session is gone. One thread writes it.

    `wants_timer`: a timer (`timer`) is being started, or is started. `timer_ends_at` is when it acts at the earliest,
    by `time.monotonic`.
    """

    has_begun: bool = False
    record: ChangeRecord | None = None
    applied: list[ConfigurationLine] = field(default_factory=list)
    wants_timer: bool = False
    timer: ConfirmTimer | None = None
    timer_ends_at: float | None = None

    @property
    def timer_is_over(self) -> bool:
        """Whether the device may already be taking the change back."""
        return self.timer_ends_at is not None and time.monotonic() >= self.timer_ends_at
