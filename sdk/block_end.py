"""What is kept while a block runs, and closed when it ends: connections, for example."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final, Protocol, TypeVar, cast, runtime_checkable

_log = logging.getLogger(__name__)


class Closable(Protocol):
    """Something that can be closed. `close` must not block."""

    def close(self) -> None:
        """Close it."""
        ...


@runtime_checkable
class Condition(Protocol):
    """A condition that must hold when a block reports a success."""

    def check_success(self) -> None:
        """Raise `SdkError` if it does not hold."""
        ...


ClosableT = TypeVar("ClosableT", bound=Closable)


class _Kept:
    """What is kept for one block, one object of each kind."""

    def __init__(self) -> None:
        self._things: dict[object, Closable] = {}
        self._lock = threading.Lock()

    def get(self, make: Callable[[], ClosableT]) -> ClosableT:
        with self._lock:
            if make not in self._things:
                self._things[make] = make()
            return cast("ClosableT", self._things[make])

    def check_success(self) -> None:
        """Raise `SdkError` if a kept object says that the block has not succeeded."""
        for thing in list(self._things.values()):
            if isinstance(thing, Condition):
                thing.check_success()

    def close(self) -> None:
        while self._things:
            _, thing = self._things.popitem()
            try:
                thing.close()
            except Exception:
                _log.exception("Something could not be closed at the end of the block.")


_kept: Final[ContextVar[_Kept | None]] = ContextVar("what the block keeps", default=None)


def kept_for_the_block(make: Callable[[], ClosableT]) -> ClosableT | None:
    """Return what `make` has made for the block that runs here: one object, the same in its tasks and threads.

    It is closed when the block has ended. Return None if no block runs here: nobody would close the object.
    """
    kept: Any = _kept.get()
    return kept.get(make) if kept is not None else None


@contextlib.contextmanager
def closing_at_the_end() -> Iterator[Condition]:
    """Close at the end what `kept_for_the_block` has made inside. Yields the condition that a success must meet."""
    kept = _Kept()
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)
        kept.close()
