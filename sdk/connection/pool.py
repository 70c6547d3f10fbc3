"""Connections that are kept for the next use in the same block, and closed with the block."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from typing import Final

from sdk.block_end import kept_for_the_block
from sdk.connection.device import Device, Target
from sdk.connection.places import is_waited_for

MOST_KEPT: Final = 64
"""The most for one block. Each costs a thread and a descriptor."""

_kept_here: Final[ContextVar[list[Device] | None]] = ContextVar("connections kept in this turn", default=None)


class Pool:
    """Idle connections, by what they lead to. Any thread may use it."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._idle: list[Device] = []
        self._is_closed = False
        self._lock = threading.Lock()

    def take(self, target: Target) -> Device | None:
        """Return a connection to the same device with the same login. It belongs to the caller from now on."""
        with self._lock:
            for device in reversed(self._idle):
                if _key(device.target) == _key(target):
                    self._idle.remove(device)
                    if device.is_usable:
                        return device
                    device.close()
                    return None
        return None

    def keep(self, device: Device) -> None:
        """Keep a connection for the next use.

        Close it if there are too many, if it is not as after its login, or if another session waits for its place.
        """
        surplus: list[Device] = []
        if (kept_here := _kept_here.get()) is not None:
            kept_here.append(device)
        with self._lock:
            if self._is_closed or not device.is_as_after_login or is_waited_for(device.session.where):
                surplus.append(device)
            else:
                self._idle.append(device)
                while len(self._idle) > self._most:
                    surplus.append(self._idle.pop(0))
        for each in surplus:
            each.close()

    def release(self, devices: Collection[Device]) -> None:
        """Close those of these connections that nobody uses now."""
        self._close_idle(lambda device: device in devices)

    def make_way(self, where: str) -> None:
        """Close the connections to one device that nobody uses now: another session waits for a place there."""
        self._close_idle(lambda device: device.session.where == where)

    def close(self) -> None:
        """Close all connections, and keep none from now on."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for device in idle:
            device.close()

    def _close_idle(self, is_one: Callable[[Device], bool]) -> None:
        with self._lock:
            idle = [device for device in self._idle if is_one(device)]
            self._idle = [device for device in self._idle if device not in idle]
        for device in idle:
            device.close()


def _key(target: Target) -> tuple[object, ...]:
    return (target.login, target.platform, target.host_keys, target.session_log, target.max_output_bytes)


def current_pool() -> Pool | None:
    """Return the pool of the block that runs here; None outside of a block, because nobody would close it."""
    return kept_for_the_block(Pool)


def make_way(where: str) -> None:
    """Close the connections that the running block keeps to a device: another of its sessions waits for a place."""
    pool = current_pool()
    if pool is not None:
        pool.make_way(where)


@contextlib.contextmanager
def released_at_the_end() -> Iterator[None]:
    """At the end, close the connections that were kept inside, in this task and in the threads that it has started."""
    kept: list[Device] = []
    token = _kept_here.set(kept)
    try:
        yield
    finally:
        _kept_here.reset(token)
        pool = current_pool()
        if pool is not None:
            pool.release(kept)
