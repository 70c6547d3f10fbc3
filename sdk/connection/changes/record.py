"""How far the changes of this job are, told to whoever has to speak for the job when it is killed.

In a worker, each step is told before the first line of it is typed: a process that is killed can't say what it has left
on a device. Where no worker is, nobody is told.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_log = logging.getLogger(__name__)


class Stage(StrEnum):
    """How far a change is. `CHANGED` with a timer: it is not confirmed yet. `OVER`: nothing of it is in force."""

    CHANGING = "changing"
    CHANGED = "changed"
    RESTORING = "restoring"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """How far one change is. `number` is this process's own; `timer_seconds`: the device takes it back by itself."""

    number: int
    device: str
    stage: Stage
    lines: int
    timer_seconds: float | None = None


_report: Callable[[ChangeReport], object] | None = None
_numbers: Final = itertools.count(1)


def report_changes(report: Callable[[ChangeReport], object] | None) -> None:
    """Have this process tell `report` from now on; None for nobody. It may be called by any thread."""
    global _report
    _report = report


class ChangeRecord:
    """One change of the device `where`, by `lines` lines. Used by one thread at a time."""

    def __init__(self, where: str, lines: int = 0) -> None:
        self._where = where
        self._lines = lines
        self._number: int | None = None
        self._timer_seconds: float | None = None
        self._begun_at = 0.0
        self._stage: Stage | None = None

    @property
    def where(self) -> str:
        """The device as messages name it."""
        return self._where

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the change is made, and nobody has confirmed it or begun to take it back."""
        return self._stage is Stage.CHANGED and self._timer_seconds is not None

    @property
    def is_being_restored(self) -> bool:
        """Whether somebody has begun to give the device its earlier configuration back, and not finished."""
        return self._stage is Stage.RESTORING

    @property
    def taken_back_in_seconds(self) -> float:
        """When the timer on the device runs out, from now; less than 0 when it has. For a change with a timer."""
        return self._begun_at + (self._timer_seconds or 0.0) - time.monotonic()

    def begin(self, timer_seconds: float | None) -> None:
        """Say that the first line is about to be typed."""
        self._timer_seconds = timer_seconds
        self._begun_at = time.monotonic()
        timer = "" if timer_seconds is None else f", which the device takes back after {timer_seconds:g} s"
        _log.info("%s: sending a change of %d lines%s", self._where, self._lines, timer)
        self._tell(Stage.CHANGING)

    def made(self) -> None:
        """Say that the device has taken all lines."""
        _log.info("%s: the change of %d lines is made", self._where, self._lines)
        self._tell(Stage.CHANGED)

    def confirmed(self) -> None:
        """Say that the device does not take it back any more."""
        self._timer_seconds = None
        self._tell(Stage.CHANGED)

    def restoring(self) -> None:
        """Say that the device is about to be given an earlier configuration back."""
        _log.info("%s: restoring the earlier configuration", self._where)
        self._tell(Stage.RESTORING)

    def over(self) -> None:
        """Say that the device has its earlier configuration."""
        self._tell(Stage.OVER)

    def _tell(self, stage: Stage) -> None:
        self._stage = stage
        if _report is None:
            return
        if self._number is None:
            self._number = next(_numbers)
        _report(ChangeReport(self._number, self._where, stage, self._lines, self._timer_seconds))
