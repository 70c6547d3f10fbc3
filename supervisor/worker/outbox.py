"""Which result is sent next, and when: the order and the pauses; and when a try of one counts as late. Pure.

Each step costs at most the logarithm of the number of waiting results: after a long absence of the engine a hundred
thousand may wait.

A late try is not given up: its answer may still come, and the engine may only be slow. Another try goes out beside it,
over a new connection, once the engine has answered something that was sent later. The engine keeps the result that
arrives first, and answers the other with 409. A time-out ends all tries of that turn. If a result got no answer while
others did, it is tried in a separate place from then on, so that such results hold up no others.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from supervisor.engine.backoff import Backoff
from supervisor.engine.transport import seconds_to_send

AT_ONCE: Final = 4
"""How many results are sent at a time."""

HANGING_AT_ONCE: Final = 1
"""How many hanging results are sent beside these: the engine answers others, but not them."""

LONGEST_PAUSE_SECONDS: Final = 5.0
"""Results arrive within seconds of the engine's return, however long it was away."""

LATE_SECONDS: Final = 2.0
"""When the first try is late. The engine answers within milliseconds (engine contract: results)."""

LATE_AGAIN_SECONDS: Final = 4.0
"""When each further try is late: an engine that is only slow must not get more and more copies."""

_MOST_FAILURES: Final = 20
"""Results that have failed more often are in the same row as those that have failed so often."""

_TOO_MANY_REQUESTS: Final = 429


@dataclass(slots=True, eq=False)
class Item:
    """A result on its way. `due` is when it may be sent again, `asked_until` until when the engine asked to wait."""

    number: int
    place: int
    backoff: Backoff
    size_bytes: int = 0
    due: float = 0.0
    asked_until: float = 0.0
    was_silent: bool = False
    """Whether its last try got no answer at all."""
    tries: int = 0
    """How often it was sent since `Outbox` returned it. `sent_at` is the last time, in seconds of the loop's clock."""
    sent_at: float = 0.0
    has_failed: bool = False
    """Whether one of these tries has failed. Then no other is sent: otherwise one would always be on its way."""
    hangs: bool = False
    """Whether its last tries got no answer while the engine answered things that were sent later."""
    on_their_way: "set[asyncio.Task[None]]" = field(default_factory=set)
    """The tries that have no answer yet."""

    def is_late(self, now: float) -> bool:
        """Whether to send another try beside the newest one, which has waited too long for a result of this size."""
        if self.has_failed:
            return False
        late_seconds = LATE_SECONDS if self.tries <= 1 else LATE_AGAIN_SECONDS
        # A large result may be slow on a slow line: a second copy beside it would only make both slower.
        return now - self.sent_at >= late_seconds + seconds_to_send(self.size_bytes)

    def __lt__(self, other: "Item") -> bool:
        return self.place < other.place


def _empty_rows() -> list[list[Item]]:
    return [[] for _ in range(_MOST_FAILURES + 1)]


@dataclass(slots=True)
class Outbox:
    """The waiting results, in the order in which they were made. All times are seconds of one monotonic clock.

    Each has its own pauses, so a result on which the engine fails holds up no other. If as many in a row have failed
    as are sent at a time, the engine is away, and no single result is the cause. Then one is sent at a time, with
    pauses for all, however many wait.
    """

    new_backoff: Callable[[], Backoff] = lambda: Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
    _ready: list[list[Item]] = field(default_factory=_empty_rows)
    """Heaps by place, one for each number of failures."""
    _later: list[tuple[float, int, Item]] = field(default_factory=list)
    """A heap of those in a pause, by the end of the pause."""
    _hanging: list[tuple[float, int, Item]] = field(default_factory=list)
    """A heap of those that hang, by the end of their pauses: after another failure, one goes behind all others."""
    _sending: set[Item] = field(default_factory=set)
    _sending_hanging: set[Item] = field(default_factory=set)
    _numbers: set[int] = field(default_factory=set)
    _places: int = 0
    longest_try_seconds: float = 75.0
    """How long a try of a small result may take: twice its time-out, if the token changed, and the work after it."""
    _asked_at: float = 0.0
    """When `take` was last called: after each end of a try, and after each pause."""
    _failed: set[int] = field(default_factory=set)
    """Which results have failed since the engine took one."""
    _pause: Backoff | None = None
    _paused_until: float = 0.0
    """Until when nothing is sent because all results fail. Any answer of the engine ends this pause."""
    _asked_until: float = 0.0
    """Until when the engine has asked to send nothing. Only time ends this pause."""

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, size_bytes: int = 0) -> bool:
        """Add a result after the others. Returns whether it is new."""
        if number in self._numbers:
            return False
        self._numbers.add(number)
        self._places += 1
        self._make_ready(Item(number, self._places, self.new_backoff(), size_bytes))
        return True

    @property
    def is_engine_away(self) -> bool:
        """Whether all results fail, and not only one."""
        return len(self._failed) >= AT_ONCE

    @property
    def _not_before(self) -> float:
        return max(self._paused_until, self._asked_until)

    def take(self, now: float) -> Item | None:
        """Return the result to send now, or `None` if none may be sent."""
        self._asked_at = now
        if now < self._not_before:
            return None
        item = self._take_hanging(now) or self._take_other(now)
        if item is not None:
            item.tries = 0
            item.has_failed = False
        return item

    def _take_hanging(self, now: float) -> Item | None:
        if self._hanging_are_full() or not self._hanging or self._hanging[0][0] > now:
            return None
        item = heappop(self._hanging)[2]
        self._sending_hanging.add(item)
        return item

    def _take_other(self, now: float) -> Item | None:
        if self._is_full():
            return None
        while self._later and self._later[0][0] <= now:
            self._make_ready(heappop(self._later)[2])
        rows = (row for row in self._ready if row)
        # While the engine is away, one that has failed least often: bad results must not take all the tries.
        row = next(rows, None) if self.is_engine_away else min(rows, default=None, key=_first)
        if row is None:
            return None
        item = heappop(row)
        self._sending.add(item)
        return item

    @property
    def due_at(self) -> float | None:
        """When a try must have ended, or a pause, at the latest; `None` if no result waits."""
        if not self._numbers:
            return None
        largest = max((item.size_bytes for item in self._sending | self._sending_hanging), default=0)
        begins_at = max(self._asked_at, self.next_time() or 0.0)
        return begins_at + self.longest_try_seconds + 2 * seconds_to_send(largest)

    def next_time(self) -> float | None:
        """Return when `take` may have a result that waits only for time; `None` if there is none."""
        times: list[float] = []
        if self._hanging and not self._hanging_are_full():
            times.append(self._hanging[0][0])
        if not self._is_full():
            if any(self._ready):
                times.append(self._not_before)
            elif self._later:
                times.append(self._later[0][0])
        return max(self._not_before, min(times)) if times else None

    def delivered(self, item: Item) -> None:
        """The engine has a result, so it is there."""
        was_away = self.is_engine_away  # read before the item leaves: it may be one of those that failed
        self._leave(item)
        if was_away:
            # The failed tries said nothing about their results: these are first again.
            self._end_pauses(self._later)
        self._failed.clear()
        self._pause = None

    def engine_answers(self, now: float) -> None:
        """The engine has answered another request: results that got no answer at all need not wait any longer."""
        silent = [entry for entry in self._later if entry[2].was_silent]
        if silent:
            self._end_pauses(silent)
            self._paused_until = min(self._paused_until, now)

    def refused(self, item: Item) -> None:
        """The engine has refused a result. This says nothing about other results."""
        self._leave(item)

    def failed(self, item: Item, now: float, status: int | None, retry_after_seconds: float | None) -> None:
        """All tries of a turn failed. They are repeated later."""
        self._give_place_back(item)
        item.due = now + item.backoff.next_pause(retry_after_seconds)
        item.asked_until = item.due if retry_after_seconds else 0.0
        item.was_silent = status is None
        # More than one try was sent, because the engine had answered something else: this result is the cause.
        item.hangs = item.tries > 1
        heappush(self._hanging if item.hangs else self._later, (item.due, item.place, item))
        if item.hangs:
            self._failed.discard(item.number)
        else:
            self._failed.add(item.number)
        if self.is_engine_away and not item.hangs:
            self._pause = self._pause or self.new_backoff()
            until = now + self._pause.next_pause(retry_after_seconds)
            if retry_after_seconds:
                self._asked_until = max(self._asked_until, until)
            else:
                self._paused_until = max(self._paused_until, until)
        elif status == _TOO_MANY_REQUESTS and retry_after_seconds:
            # This worker sends too much, whichever result it was.
            self._asked_until = max(self._asked_until, item.due)

    def _end_pauses(self, entries: list[tuple[float, int, Item]]) -> None:
        # Only results that were tried within the longest pause have one: these are few, however many wait.
        ended = {item for _, _, item in entries}
        for item in ended:
            item.due = item.asked_until
        self._later = [(item.due, place, item) for _, place, item in self._later]
        heapify(self._later)

    def _make_ready(self, item: Item) -> None:
        heappush(self._ready[min(item.backoff.failures, _MOST_FAILURES)], item)

    def _is_full(self) -> bool:
        return len(self._sending) >= (1 if self.is_engine_away else AT_ONCE)

    def _hanging_are_full(self) -> bool:
        return len(self._sending_hanging) >= HANGING_AT_ONCE

    def _give_place_back(self, item: Item) -> None:
        (self._sending_hanging if item.hangs else self._sending).remove(item)

    def _leave(self, item: Item) -> None:
        self._give_place_back(item)
        self._numbers.remove(item.number)
        self._failed.discard(item.number)


def _first(row: list[Item]) -> Item:
    return row[0]
