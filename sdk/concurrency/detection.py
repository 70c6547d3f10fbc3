"""``BlockingDetector``: a thread that watches whether another one, with an event loop, blocks."""

from __future__ import annotations

import _thread
import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sdk.concurrency.advice import advice
from sdk.concurrency.authorship import Authorship, stack_of
from sdk.concurrency.episode import Episodes
from sdk.concurrency.readings import Reading, blocked_between, take_reading
from sdk.logger import LoggerLike

_SAMPLES_A_THRESHOLD: Final = 4
_SHORTEST_PAUSE_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class BlockingCode:
    """What blocks: the author's innermost line, since when and for how long (monotonic seconds), and the warning."""

    file: str
    line: int
    since: float
    seconds: float
    text: str


class BlockingDetector:
    """Warns of code that runs for ``threshold`` seconds or longer between two awaits. 0 turns it off.

    It takes samples of the thread's stack, four in each ``threshold``, and so finds for certain what blocks for a
    quarter longer than that. The warning has the author's own frames only (`Authorship`), and comes once for each
    line. What is not held against the code: waiting for a processor on a busy machine, waiting for the GIL that
    another thread holds, and time in which the process was stopped. Where C code holds the GIL, the sample is taken
    when it lets go.

    ``report`` is called instead of the logger, in the detector's thread; it returns False to be asked again.
    """

    def __init__(
        self,
        threshold: float,
        logger: LoggerLike,
        *,
        authorship: Authorship | None = None,
        report: Callable[[BlockingCode], bool] | None = None,
    ) -> None:
        self._threshold = threshold
        self._logger = logger
        self._authorship = authorship or Authorship()
        self._report = report or self._log
        self._pause = max(_SHORTEST_PAUSE_SECONDS, threshold / _SAMPLES_A_THRESHOLD)
        self._stopped: _thread.LockType | None = None

    def start(self, context_name: str, thread_id: int | None = None) -> None:
        """Watch a thread (`threading.get_ident`), or the one that calls this, until `stop`.

        ``context_name`` is what the warning names: the block. Raises ``RuntimeError`` when no thread can be started.
        """
        if self._threshold <= 0 or self._stopped is not None:
            return
        watched = threading.get_ident() if thread_id is None else thread_id
        self._stopped = _thread.allocate_lock()
        self._stopped.acquire()
        arguments = (context_name, watched, _native_id_of(watched), self._stopped)
        # A daemon: it holds nobody's end.
        threading.Thread(target=self._watch, args=arguments, name="blocking-detector", daemon=True).start()

    def stop(self) -> None:
        """Watch no more. Does not wait for the thread, which ends at once unless it is reporting."""
        if self._stopped is not None:
            self._stopped.release()
            self._stopped = None

    async def monitor_thread(self, thread_id: int, context_name: str) -> None:
        """Watch a thread until it has ended or this is cancelled."""
        if self._threshold <= 0:
            return
        self.start(context_name, thread_id)
        try:
            while thread_id in sys._current_frames():  # noqa: ASYNC110  # nothing tells of a thread's end
                await asyncio.sleep(self._pause)
        finally:
            self.stop()

    def _watch(self, name: str, watched: int, native_id: int, stopped: _thread.LockType) -> None:
        episodes = Episodes(self._threshold)
        before = take_reading(native_id)
        # A bare lock: nothing of Python's library is on this thread's stack while it waits, so that a dump of all
        # threads shows it as what it is.
        while not stopped.acquire(timeout=self._pause):
            now = take_reading(native_id)
            self._sample(name, watched, episodes, before, now)
            before = now

    def _sample(self, name: str, watched: int, episodes: Episodes, before: Reading, now: Reading) -> None:
        # Not kept in a variable: among all frames is this one, which would then refer to itself.
        innermost = sys._current_frames().get(watched)
        stack = stack_of(innermost, self._authorship) if innermost else None
        if stack is None:
            episodes.idle()
            return
        place = (stack.authors[0].f_code.co_filename, stack.authors[0].f_lineno or 0)
        due = episodes.seen(stack.callback, place, blocked_between(before, now, self._pause))
        if due is None:
            return
        seconds, held_gil = due
        text = advice(name, seconds, self._threshold, stack.authors, held_gil=held_gil)
        if self._report(BlockingCode(*place, now.at - seconds, seconds, text)):
            episodes.told(place)

    def _log(self, blocking: BlockingCode) -> bool:
        self._logger.log(logging.WARNING, "%s", blocking.text)
        return True


def _native_id_of(thread_id: int) -> int:
    if thread_id == threading.get_ident():
        return threading.get_native_id()
    known = (each.native_id for each in threading.enumerate() if each.ident == thread_id)
    return next(known, None) or os.getpid()
