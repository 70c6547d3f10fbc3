"""Processes that hold sessions: each forks one child after the other into its session (`jobrunner.session_holder`)."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from supervisor.launcher.fork_requests import ForkRequests
from supervisor.launcher.importer import TemplateProcess

MOST: Final = 16
"""Each takes 2 to 3 MB. Further children are forked twice."""

UNUSED_SECONDS: Final = 5.0
"""A holder that has forked nothing for so long is ended, even if its child still runs. A new one costs no more than a
fork, and no job waits for it."""

_LOOK_SECONDS: Final = 1.0


@dataclass(slots=True, eq=False)
class SessionHolder:
    """One holder. It is a fork of `template`. `used_at` is when it was last asked, by the loop's clock."""

    pid: int
    control: socket.socket
    template: TemplateProcess
    used_at: float


class SessionHolders:
    """Keeps the living holders, and knows which of them have an empty session."""

    def __init__(self, requests: ForkRequests, hear: Callable[[SessionHolder], object]) -> None:
        """`hear` is called with a holder that has announced a child, or has ended."""
        self._requests = requests
        self._hear = hear
        self._living: set[SessionHolder] = set()
        self._free: list[SessionHolder] = []
        self._starting = 0
        self._look: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Whether the maximum number is reached, with those that are on their way."""
        return len(self._living) + self._starting >= MOST

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one that is being started, until it is added."""
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    @property
    def living(self) -> tuple[SessionHolder, ...]:
        """All that were not ended."""
        return tuple(self._living)

    def has_waiting(self, template: TemplateProcess) -> bool:
        """Whether somebody waits for a child of a fork of `template`."""
        return any(
            self._requests.has_waiting(holder) for holder in self._living if holder.template is template
        )

    def add(self, holder: SessionHolder) -> None:
        """Take over a new holder, which is used at once. Raises `OSError` if it can't be listened to."""
        loop = asyncio.get_running_loop()
        self._living.add(holder)
        loop.add_reader(holder.control, self._hear, holder)
        if self._look is None:
            self._look = loop.call_later(_LOOK_SECONDS, self._end_unused)

    def _end_unused(self) -> None:
        loop = asyncio.get_running_loop()
        unused = [one for one in self._living if loop.time() - one.used_at > UNUSED_SECONDS]
        self.end(
            *(one for one in unused if not self._requests.has_waiting(one)),
            reason="It was not used.",
        )
        self._look = loop.call_later(_LOOK_SECONDS, self._end_unused) if self._living else None

    def take(self, template: TemplateProcess) -> SessionHolder | None:
        """Return one whose session is empty, `None` if another must be started. Give it back, or end it."""
        for holder in self._free:
            if holder.template is template:
                self._free.remove(holder)
                holder.used_at = asyncio.get_running_loop().time()
                return holder
        return None

    def give_back(self, holder: SessionHolder, *, is_empty: bool = True) -> None:
        """Take back one whose child has ended. The next child may use its session if no process is left in it."""
        if not is_empty:
            self.end(holder, reason="Something was left in its session.")
        elif holder in self._living and holder not in self._free:
            # The one that was used last is used next: its pages are copied already.
            self._free.insert(0, holder)

    def end_free(self, reason: str) -> None:
        """End those whose session is empty."""
        self.end(*self._free, reason=reason)

    def end(self, *holders: SessionHolder, reason: str) -> None:
        """Kill them, unless they were ended before. They are reaped later (`ForkRequests.reap_later`).

        Their open requests fail with `reason`. Their children go on.
        """
        ending = [holder for holder in holders if holder in self._living]
        for holder in ending:
            self._living.remove(holder)
            if holder in self._free:
                self._free.remove(holder)
            asyncio.get_running_loop().remove_reader(holder.control)
            with contextlib.suppress(ProcessLookupError):
                os.kill(holder.pid, signal.SIGKILL)
        for holder in ending:
            self._requests.hear(holder)
            self._requests.fail(holder, reason)
            self._requests.reap_later(holder.pid, partial(self._close, holder))

    def _close(self, holder: SessionHolder) -> None:
        self._requests.hear(holder)  # it may have announced a child in its last moment
        holder.control.close()

    def end_of(self, template: TemplateProcess, reason: str) -> None:
        """End all that are forks of `template`."""
        self.end(*(one for one in self._living if one.template is template), reason=reason)

    def close(self) -> None:
        """Stop looking for unused holders. All must have been ended."""
        if self._look is not None:
            self._look.cancel()
