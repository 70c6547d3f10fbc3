"""Places for sessions: a device has few of them, and other jobs need some, too.

In a worker, a session is opened when the worker allows it (`--sessions-per-device`). The worker counts the sessions of
all its jobs. Without a worker, there is nobody to ask.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail


class Place(Protocol):
    """A place that somebody has asked for."""

    def wait(self, seconds: float) -> bool:
        """Wait for at most `seconds`. Return whether it may be used, or was given back. May be called again."""
        ...

    def give_back(self) -> None:
        """Give the place back. This wakes a thread that waits for it."""
        ...


class Places(Protocol):
    """Gives places for sessions. `limit` is how many a device has."""

    limit: int

    def ask(self, device: str) -> Place:
        """Ask for one. Returns at once."""
        ...


_AT_ONCE_SECONDS: Final = 0.2
"""The worker answers within this time, unless all places are taken."""

_in_force: Places | None = None
_lock: Final = threading.Lock()
_mine: Final[Counter[str]] = Counter()
"""How many places on each device this job has itself: is it in its own way, or are other jobs?"""
_waiting: Final[Counter[str]] = Counter()
"""How many sessions of this job wait for a place on each device because none was free."""


def use_places(places: Places | None) -> None:
    """Make this process ask `places` from now on; with None nobody."""
    global _in_force
    _in_force = places


def sessions_per_device() -> int | None:
    """Return how many sessions all jobs together may have open on one device; None if nobody counts them."""
    return None if _in_force is None else _in_force.limit


def is_waited_for(device: str) -> bool:
    """Whether a session of this job waits for a place on `device`: a caller that needs no place gives its own back."""
    with _lock:
        return _waiting[device] > 0


class SessionPlace:
    """The place of one session on `device`: make it, `wait` for it before anything is opened, `give_back` at the end.

    `device` names it for counting: always the same text for the same device. Any thread may call all methods.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._places = _in_force
        self._place = self._places.ask(device) if self._places is not None else None
        self._is_counted = False
        self._is_given_back = False

    def wait(self, deadline: Deadline, make_way: Callable[[str], None] = lambda device: None) -> None:
        """Block until the session may be opened.

        If no place is free, `make_way` gets the device, to close unused sessions that this job keeps there.

        Raises `SessionsTakenError` at the deadline, and if the place is given back before that.
        """
        if self._place is None or self._places is None:
            return
        soon_seconds = min(_AT_ONCE_SECONDS, deadline.left_seconds)
        granted = self._place.wait(soon_seconds) or self._wait_longer(self._place, deadline, make_way)
        with _lock:
            if granted and not self._is_given_back:
                _mine[self._device] += 1
                self._is_counted = True
                return
        error = self._taken(self._places.limit, deadline.seconds)
        self.give_back()
        raise error

    def late(self, seconds: float) -> DeviceError | None:
        """Return the error for a wait that was not over within `seconds`; None if nobody waits for the place."""
        if self._places is None or self._is_counted or self._is_given_back:
            return None
        return self._taken(self._places.limit, seconds)

    def _wait_longer(self, place: Place, deadline: Deadline, make_way: Callable[[str], None]) -> bool:
        # In this order: sessions that would be kept from now on are closed, too, and nothing comes in between.
        with _lock:
            _waiting[self._device] += 1
        try:
            make_way(self._device)
            return place.wait(deadline.left_seconds)
        finally:
            with _lock:
                _waiting[self._device] -= 1

    def give_back(self) -> None:
        """Give the place back: the session is closed, or no longer needed. May be called more than once."""
        with _lock:
            if self._is_given_back:
                return
            self._is_given_back = True
            if self._is_counted:
                _mine[self._device] -= 1
        if self._place is not None:
            self._place.give_back()

    def _taken(self, limit: int, seconds: float) -> DeviceError:
        """Return the error that says who has the places of the device."""
        with _lock:
            own = _mine[self._device]
        what, taken = (
            (f"all {limit} sessions", "were taken") if limit > 1 else ("the one session", "was taken")
        )
        who = "other jobs" if not own else "this job itself" if own >= limit else "this and other jobs"
        return fail(Cause.SESSIONS_TAKEN, self._device, seconds=seconds, what=what, taken=taken, who=who)
