"""How long one callback of an event loop has run without an end, counted by samples.

A callback is what the loop runs between two looks at what is ready: mostly the step of a task between two `await`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sdk.concurrency.readings import Blocked

MOST_PLACES: Final = 20
"""After so many warnings about one job, there are no more."""

Place = tuple[str, int]
"""File and line."""


@dataclass(frozen=True, slots=True)
class Due:
    """A place to report: for how long at least, and since when at the earliest."""

    seconds: float
    since: float
    held_gil: bool


@dataclass(slots=True)
class Episodes:
    """Counts the time of callbacks, and says when to report one.

    Time counts from the first sample that sees a callback, because it may have begun only then. If the callback held
    the GIL and a sample had to wait for it, that time counts in full. Time in a place that was reported does not
    count again.
    """

    threshold_seconds: float
    _callback: object = None
    _since: float = 0.0
    _seconds: float = 0.0
    _held: bool = False
    _told: set[Place] = field(default_factory=set)

    def idle(self) -> None:
        """Say that no code of the author runs."""
        self._callback = None

    def seen(self, callback: object, place: Place, blocked: Blocked, before: float) -> Due | None:
        """Take a sample; `before` is the time of the last one. Return what to report about `place`, if anything.

        Each sample returns it again until `told` is called.
        """
        if callback is not self._callback:
            self._callback, self._since = callback, before
            self._seconds, self._held = blocked.holding, blocked.holding > 0
        elif place in self._told:
            self._since, self._seconds, self._held = before, 0.0, False
        else:
            self._seconds += blocked.seconds
            self._held = self._held or blocked.holding > 0
        due = self._seconds >= self.threshold_seconds and place not in self._told
        if not due or len(self._told) >= MOST_PLACES:
            return None
        return Due(self._seconds, self._since, self._held)

    def told(self, place: Place) -> None:
        """Stop counting this place."""
        self._told.add(place)
        self._seconds, self._held = 0.0, False
