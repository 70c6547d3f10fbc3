"""Which result is sent next, and when: the order and the pauses. Pure."""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from supervisor.engine.backoff import Backoff

AT_ONCE: Final = 4
"""How many results are sent at a time."""

LONGEST_PAUSE_SECONDS: Final = 5.0
"""So that results arrive within seconds of the engine's return, however long it was away."""

_TOO_MANY_REQUESTS: Final = 429


@dataclass(slots=True, eq=False)
class Item:
    """A result on its way. ``due`` is when it may be sent again, ``asked_until`` how long the engine asked to wait."""

    number: int
    place: int
    backoff: Backoff
    due: float = 0.0
    asked_until: float = 0.0


@dataclass(slots=True)
class Outbox:
    """The results that wait, in the order in which they were made. All times are seconds of one monotonic clock.

    Each has its own pauses, so that one that the engine chokes on holds up no other. When as many in a row have failed
    as are sent at a time, the engine is away, not a result bad: then one is sent at a time, with pauses for all,
    however many wait.
    """

    new_backoff: Callable[[], Backoff] = lambda: Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
    _waiting: list[Item] = field(default_factory=list)
    """By place."""
    _sending: set[Item] = field(default_factory=set)
    _numbers: set[int] = field(default_factory=set)
    _places: int = 0
    _failed: set[int] = field(default_factory=set)
    """Which results have failed since the engine took one."""
    _pause: Backoff | None = None
    _not_before: float = 0.0

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int) -> bool:
        """Add a result behind the others. Returns whether it was not there yet."""
        if number in self._numbers:
            return False
        self._numbers.add(number)
        self._places += 1
        self._waiting.append(Item(number, self._places, self.new_backoff()))
        return True

    @property
    def is_engine_away(self) -> bool:
        """Whether every result fares ill, and not only one."""
        return len(self._failed) >= AT_ONCE

    def take(self, now: float) -> Item | None:
        """Return the next result to be sent now, or `None` when none may be."""
        if now < self._not_before or self._is_full():
            return None
        ready = (item for item in self._waiting if item.due <= now)
        # While the engine is away, one that has failed least: results that it chokes on must not be all that is tried.
        item = min(ready, key=_least_tried, default=None) if self.is_engine_away else next(ready, None)
        if item is not None:
            self._waiting.remove(item)
            self._sending.add(item)
        return item

    def next_time(self) -> float | None:
        """Return when `take` may have something that waits for time alone; `None` when nothing does."""
        if not self._waiting or self._is_full():
            return None
        return max(self._not_before, min(item.due for item in self._waiting))

    def delivered(self, item: Item) -> None:
        """The engine has a result, and so is there."""
        self._leave(item)
        if self.is_engine_away:
            # The tries that failed told nothing about their results: these are first again.
            for waiting in self._waiting:
                waiting.due = waiting.asked_until
        self._failed.clear()
        self._pause = None

    def refused(self, item: Item) -> None:
        """The engine does not want a result, which tells nothing about others."""
        self._leave(item)

    def failed(self, item: Item, now: float, status: int | None, retry_after_seconds: float | None) -> None:
        """A try failed and is repeated later."""
        self._sending.remove(item)
        item.due = now + item.backoff.next_pause(retry_after_seconds)
        item.asked_until = item.due if retry_after_seconds else 0.0
        insort(self._waiting, item, key=lambda each: each.place)
        self._failed.add(item.number)
        if self.is_engine_away:
            self._pause = self._pause or self.new_backoff()
            self._not_before = max(self._not_before, now + self._pause.next_pause(retry_after_seconds))
        elif status == _TOO_MANY_REQUESTS and retry_after_seconds:
            # It is this worker that sends too much, whichever result it was.
            self._not_before = max(self._not_before, item.due)

    def _is_full(self) -> bool:
        return len(self._sending) >= (1 if self.is_engine_away else AT_ONCE)

    def _leave(self, item: Item) -> None:
        self._sending.remove(item)
        self._numbers.remove(item.number)
        self._failed.discard(item.number)


def _least_tried(item: Item) -> tuple[int, int]:
    return item.backoff.failures, item.place
