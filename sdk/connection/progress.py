"""What the log says while the same work runs on many devices."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from sdk.connection.errors import DeviceError
from sdk.connection.outcomes import DeviceOutcome
from sdk.failure import traceback_of
from sdk.masking import hiding_all

_MOST_NAMED: Final = 20
_STEPS: Final = 10


class Progress:
    """Logs the start, each tenth of the devices, each failure, and the end. `clock` is in seconds."""

    def __init__(
        self,
        total: int,
        limit: int,
        timeout_seconds: float | None,
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._limit = limit
        self._timeout_seconds = timeout_seconds
        self._log = log
        self._clock = clock
        self._started_at = clock()
        self._done = 0
        self._failed: list[DeviceOutcome[Any, Any]] = []

    def started(self) -> None:
        """Log what is about to be done."""
        at_most = "" if self._timeout_seconds is None else f", at most {self._timeout_seconds:g} s for each"
        self._log.info("Start with %s, %d at a time%s", _devices(self._total), self._limit, at_most)

    def done(self, outcome: DeviceOutcome[Any, Any]) -> None:
        """Count one more device; log its name if it failed."""
        tenths_before = self._done * _STEPS // self._total
        self._done += 1
        if outcome.error is not None:
            self._failed.append(outcome)
            self._tell_failure(outcome, outcome.error)
        if self._done < self._total and self._done * _STEPS // self._total > tenths_before:
            failed = f", {len(self._failed)} failed" if self._failed else ""
            self._log.info(
                "%d of %s done after %s%s", self._done, _devices(self._total), self._seconds(), failed
            )

    def ended(self) -> None:
        """Log how it went, and which devices failed and why."""
        good = self._total - len(self._failed)
        text = f"Done with {_devices(self._total)} after {self._seconds()}: {good} succeeded"
        if self._failed:
            text += f", {len(self._failed)} failed: {failures(self._failed)}"
        self._log.log(logging.WARNING if self._failed else logging.INFO, "%s", text)

    def cancelled(self) -> None:
        """Log how far it came."""
        self._log.warning(
            "Cancelled after %s: %d of %s were done", self._seconds(), self._done, _devices(self._total)
        )

    def _tell_failure(self, outcome: DeviceOutcome[Any, Any], error: Exception) -> None:
        if isinstance(error, DeviceError):
            self._log.warning("%s failed: %s", outcome.name, outcome.message)
        else:
            self._log.error("%s failed:\n%s", outcome.name, traceback_of(error, hiding_all()))

    def _seconds(self) -> str:
        return f"{self._clock() - self._started_at:.1f} s"


def failures(failed: list[DeviceOutcome[Any, Any]]) -> str:
    """Return the failed devices by name; devices with the same cause together: `r3, r7 (wrong_password)`."""
    named: dict[str | None, list[str]] = {}
    for outcome in failed[:_MOST_NAMED]:
        named.setdefault(outcome.cause, []).append(outcome.name)
    text = "; ".join(f"{', '.join(names)} ({cause})" for cause, names in named.items())
    more = failed[_MOST_NAMED:]
    if not more:
        return text
    counts = ", ".join(f"{count} {cause}" for cause, count in Counter(each.cause for each in more).items())
    return f"{text}; and {len(more)} more ({counts})"


def _devices(count: int) -> str:
    return f"{count} device" if count == 1 else f"{count} devices"
