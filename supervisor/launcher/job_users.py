"""A pool of users for jobs. Each child gets a user for itself (`--job-users`)."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Iterable
from typing import Final

from supervisor.errors import LaunchError
from supervisor.launcher.known_children import direct_children
from supervisor.launcher.repeating_failure import RepeatingFailure
from supervisor.launcher.shared_directories import USUAL
from supervisor.launcher.user_leftovers import remove_leftovers
from supervisor.log.event import tell
from supervisor.log.events.processes import JobUserLost, JobUserRestored, JobUserWaiting
from supervisor.process.proc import is_alive, kill_tree, user_of
from supervisor.process.shortage import is_shortage
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 20.0
_KILL_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.01
_MOST_TOLD: Final = 5
_TRY_AGAIN_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0


class JobUsers:
    """Users by number. A user is free again only when none of its processes lives and its leftovers are gone.

    `directories` are those in which everyone may write.
    """

    def __init__(self, users: Iterable[int], directories: Iterable[str] = USUAL) -> None:
        # First in, first out: a number is reused as late as possible.
        self._free: deque[int] = deque(users)
        self._directories = tuple(directories)
        self._freed = asyncio.Event()
        self._cleaning = Tasks()
        self._closing = asyncio.Event()

    async def clear_before_use(self) -> None:
        """Remove the leftovers of all users from an earlier run, so that no job owns files that another made."""
        users = tuple(self._free)
        if await asyncio.to_thread(remove_leftovers, frozenset(users), self._directories):
            self._free.clear()
            for user in users:  # each by itself: clean users can be used at once
                self.give_back(user)

    async def take(self) -> int:
        """Return a user with no other process. Raises `LaunchError` if none is free in time."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while not self._free:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError as error:
            raise LaunchError(
                f"No job user was free within {_WAIT_SECONDS:g} s. Give more with --job-users, or see in the log "
                "why one could not be freed."
            ) from error
        return self._free.popleft()

    def give_back(self, user: int) -> None:
        """Take a dead child's user back: clean up after it in the background, then let other jobs have it."""
        self._cleaning.start(self._clean(user), f"cleaning up after the job user {user}")

    async def _clean(self, user: int) -> None:
        failure, began, is_aside = RepeatingFailure(_log), time.monotonic(), False
        pause = _TRY_AGAIN_SECONDS
        while True:
            try:
                problem = await asyncio.to_thread(_clean_up_after, user, self._directories)
            except Exception as error:  # for any error, the next job must not get this user
                problem = repr(error)
                if is_shortage(error) and not self._closing.is_set():
                    failure.failed(JobUserWaiting(user=user, reason=str(error)))
                    await self._pause(_TRY_AGAIN_SECONDS)
                    continue
            if not problem:
                break
            if not is_aside:
                is_aside = True
                tell(_log, JobUserLost(user=user, reason=problem))
            if self._closing.is_set():
                return
            await self._pause(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        if is_aside:
            tell(_log, JobUserRestored(user=user, seconds=time.monotonic() - began))
        self._free.append(user)
        self._freed.set()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    async def close(self) -> None:
        """Wait until everything is cleaned up. What failed is tried once more."""
        self._closing.set()
        await self._cleaning.wait()


def _clean_up_after(user: int, directories: Iterable[str] = USUAL) -> str:
    """Kill the user's processes and remove its leftovers. Returns what could not be done, or an empty text."""
    end = time.monotonic() + _KILL_SECONDS
    # This process gets a child's orphans: every living process of this user is below one of its children.
    while alive := [pid for pid in direct_children() if user_of(pid) == user and is_alive(pid)]:
        if time.monotonic() > end:
            return f"process(es) {alive} of it can't be killed."
        kill_tree(alive, end)
        time.sleep(_PAUSE_SECONDS)
    left = remove_leftovers({user}, directories)
    return f"what it left is not removed yet: {_some(left)}." if left else ""


def _some(left: list[str]) -> str:
    shown = ", ".join(left[:_MOST_TOLD])
    return shown if len(left) <= _MOST_TOLD else f"{shown} and {len(left) - _MOST_TOLD} more"
