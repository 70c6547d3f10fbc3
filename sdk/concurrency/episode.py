"""For how long one callback of an event loop has not come to its end, sample by sample.

A callback is what the loop runs between two looks at what is ready: mostly a task, from one `await` to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sdk.concurrency.readings import Blocked

MOST_PLACES: Final = 20
"""So many warnings about one job are enough."""

Place = tuple[str, int]
"""File and line."""


@dataclass(frozen=True, slots=True)
class Due:
    """A place that has to be told of: for how long at least, and since when at the earliest."""

    seconds: float
    since: float
    held_gil: bool


@dataclass(slots=True)
class Episodes:
    """Counts the time of callbacks, and says when one is to be told of.

    Time counts from the first sample in which a callback is seen, as it may have begun only then; what a sample found
    that had to wait for the GIL, which this callback held, counts in full. Time in a place that was told of does not
    count again.
    """

    threshold_seconds: float
    _callback: object = None
    _since: float = 0.0
    _seconds: float = 0.0
    _held: bool = False
    _told: set[Place] = field(default_factory=set)

    def idle(self) -> None:
        """Nothing of the author's runs."""
        self._callback = None

    def seen(self, callback: object, place: Place, blocked: Blocked, before: float) -> Due | None:
        """Take a sample; `before` is when the last one was taken. Return whether `place` has to be told of now.

        It has to be told of with each sample until `told`.
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
        """Count this place no more."""
        self._told.add(place)
        self._seconds, self._held = 0.0, False
