"""Reports how far the changes of this job are, to the process that must speak for the job if it is killed.

In a worker, each step is reported before its first line is typed: a killed process can't say what it has left on a
device. Without a worker, nobody gets the reports.
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
    """How far a change is. `CHANGED` with a timer: not confirmed yet. `OVER`: nothing of it is in force."""

    CHANGING = "changing"
    CHANGED = "changed"
    RESTORING = "restoring"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """How far one change is. `number` is unique in this process. `timer_seconds`: the device itself takes it back."""

    number: int
    device: str
    stage: Stage
    lines: int
    timer_seconds: float | None = None


_report: Callable[[ChangeReport], object] | None = None
_numbers: Final = itertools.count(1)


def report_changes(report: Callable[[ChangeReport], object] | None) -> None:
    """Make this process report to `report` from now on; with None to nobody. Any thread may call it."""
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
        """The device's name in messages."""
        return self._where

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the change is made, and nobody has confirmed it or begun to take it back."""
        return self._stage is Stage.CHANGED and self._timer_seconds is not None

    @property
    def is_being_restored(self) -> bool:
        """Whether somebody has begun to restore the device's earlier configuration, and has not finished."""
        return self._stage is Stage.RESTORING

    @property
    def taken_back_in_seconds(self) -> float:
        """When the timer on the device runs out, from now; less than 0 if it has. Only for a change with a timer."""
        return self._begun_at + (self._timer_seconds or 0.0) - time.monotonic()

    def begin(self, timer_seconds: float | None) -> None:
        """Report that the first line is about to be typed."""
        self._timer_seconds = timer_seconds
        self._begun_at = time.monotonic()
        timer = "" if timer_seconds is None else f", which the device takes back after {timer_seconds:g} s"
        _log.info("%s: sending a change of %d lines%s", self._where, self._lines, timer)
        self._tell(Stage.CHANGING)

    def made(self) -> None:
        """Report that the device has accepted all lines."""
        _log.info("%s: the change of %d lines is made", self._where, self._lines)
        self._tell(Stage.CHANGED)

    def confirmed(self) -> None:
        """Report that the device will not take it back any more."""
        self._timer_seconds = None
        self._tell(Stage.CHANGED)

    def restoring(self) -> None:
        """Report that the device is about to get an earlier configuration back."""
        _log.info("%s: restoring the earlier configuration", self._where)
        self._tell(Stage.RESTORING)

    def over(self) -> None:
        """Report that the device has its earlier configuration."""
        self._tell(Stage.OVER)

    def _tell(self, stage: Stage) -> None:
        self._stage = stage
        if _report is None:
            return
        if self._number is None:
            self._number = next(_numbers)
        _report(ChangeReport(self._number, self._where, stage, self._lines, self._timer_seconds))
