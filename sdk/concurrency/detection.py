"""`BlockingDetector`: a thread that watches whether another thread, which has an event loop, blocks."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # of CPython; typeshed leaves it out
import _thread
import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sdk.concurrency.advice import advice
from sdk.concurrency.authorship import Stack, stack_of
from sdk.concurrency.episode import Episodes
from sdk.concurrency.readings import Reading, blocked_between, reading_at_start, take_reading
from sdk.logger import LoggerLike

_SAMPLES_A_THRESHOLD: Final = 4
_SHORTEST_PAUSE_SECONDS: Final = 0.01
_REPORT_SECONDS: Final = 5.0
"""A report takes a millisecond, unless its thread waits for a processor on a busy machine."""
_ALL_SIGNALS: Final = _signal.valid_signals()


@dataclass(frozen=True, slots=True)
class BlockingCode:
    """Code that blocks: the author's innermost line, and the warning.

    It has run since `since` (monotonic seconds) or later, and for at least `seconds`.
    """

    file: str
    line: int
    since: float
    seconds: float
    text: str


class BlockingDetector:
    """Warns of code that runs for `threshold` seconds or longer between two awaits. 0 turns it off.

    It samples the thread's stack, four times in each `threshold`. So it surely finds code that blocks for a quarter
    longer than that. The warning shows only the author's own frames, and comes once for each line. The detector does
    not count the time in which the thread waits for a processor on a busy machine, or for the GIL that another thread
    holds, or in which the process is stopped. While C code holds the GIL, it can't take a sample. It takes it when
    the code lets go, which can be a line later.

    `home` is the directory that the block was loaded from: everything in it is the author's, even if it was installed.
    `report` is called instead of the logger, in the detector's thread. It returns False to be called again.
    """

    def __init__(
        self,
        threshold: float,
        logger: LoggerLike,
        *,
        home: str | None = None,
        report: Callable[[BlockingCode], bool] | None = None,
    ) -> None:
        self._threshold = threshold
        self._logger = logger
        self._home = home
        self._report = report or self._log
        self._pause = max(_SHORTEST_PAUSE_SECONDS, threshold / _SAMPLES_A_THRESHOLD)
        self._stopped: _thread.LockType | None = None
        self._sampling = _thread.allocate_lock()
        self._awake = _thread.allocate_lock()
        """The watched thread holds it while it sleeps, so the watching thread sleeps, too."""
        self._rests = False
        self._woken_at = 0.0
        self._has_failed = False

    def start(self, context_name: str, thread_id: int | None = None) -> None:
        """Watch a thread (`threading.get_ident`), or the one that calls this, until `stop`.

        `context_name` is what the warning names: the block. Raises `RuntimeError` if no thread can be started.
        """
        if self._threshold <= 0 or self._stopped is not None:
            return
        watched = threading.get_ident() if thread_id is None else thread_id
        self._stopped = _thread.allocate_lock()
        self._stopped.acquire()
        native_id = _native_id_of(watched)
        arguments = (context_name, watched, native_id, reading_at_start(native_id), self._stopped)
        # The new thread blocks all signals. If a block waits for a signal in `sigwait`, it blocks it in its own thread
        # only; this thread would then get the signal, and the process would end. `_signal`, because `signal` makes an
        # enum of each number: in each job two times 62, and an exception for each real-time signal.
        before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _ALL_SIGNALS)
        try:
            # Not `threading`: that waits until the thread runs, in each job. A block that lists its threads also sees
            # only its own. This thread does not hold up the end of the process.
            _thread.start_new_thread(self._watch, arguments)
        except RuntimeError:
            self._stopped = None
            raise
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, before)

    def rest(self) -> None:
        """Take no samples until `go_on`. The watched thread calls this, because it is about to wait for something."""
        self._rests = self._rests or self._awake.acquire(blocking=False)

    def go_on(self) -> None:
        """Take samples again, after `rest`."""
        if self._rests:
            self._rests = False
            self._woken_at = time.monotonic()
            self._awake.release()

    def stop(self) -> None:
        """Stop watching. If a report is being made, this waits for it, for at most five seconds."""
        if self._stopped is None:
            return
        # The watching thread sees this when its pause is over. If woken at once, it would take the GIL and a processor
        # from what follows the watched code, for example from a job's outcome.
        self._stopped = None
        self.go_on()
        # The blocking code may be the last that a job ran, and its process is about to end.
        if self._sampling.acquire(timeout=_REPORT_SECONDS):
            self._sampling.release()

    async def monitor_thread(self, thread_id: int, context_name: str) -> None:
        """Watch a thread until it has ended or this is cancelled."""
        if self._threshold <= 0:
            return
        self.start(context_name, thread_id)
        try:
            while thread_id in sys._current_frames():  # noqa: ASYNC110  # nothing reports a thread's end
                await asyncio.sleep(self._pause)
        finally:
            self.stop()

    def _watch(
        self, name: str, watched: int, native_id: int, before: Reading, stopped: _thread.LockType
    ) -> None:
        episodes = Episodes(self._threshold)
        # A bare lock: then nothing of Python's library is on this thread's stack while it waits, and a dump of all
        # threads shows plainly what it is. If it had to wait for the GIL to begin, it takes a sample before it waits.
        began_late = time.monotonic() - before.at > self._pause
        while self._stopped is stopped:
            if not began_late:
                stopped.acquire(timeout=self._pause)  # nobody releases it
                if self._stopped is not stopped:
                    break
            began_late = False
            if self._awake.locked():
                episodes.idle()
                before = self._rest(native_id, before)
                began_late = time.monotonic() - before.at > self._pause
                continue
            with self._sampling:
                if self._stopped is not stopped:  # since the pause was over: `stop` has waited for no sample
                    break
                try:
                    before = self._sample(name, watched, native_id, episodes, before)
                except Exception as error:  # for example no memory is left: the next sample may get some
                    self._failed(error)

    def _rest(self, native_id: int, before: Reading) -> Reading:
        """Sleep until the watched thread goes on, and return the reading of that moment."""
        with contextlib.suppress(Exception):  # for example no memory is left
            before = take_reading(native_id)
        with self._awake:
            pass
        # The watched thread has not run until now. Since it goes on, this thread may have waited for the GIL.
        return replace(before, at=max(before.at, self._woken_at), own_waits=before.own_waits + 1)

    def _failed(self, error: Exception) -> None:
        if not self._has_failed:
            self._has_failed = True
            self._logger.log(logging.WARNING, f"Samples for code that blocks are missing: {error!r}")

    def _sample(
        self, name: str, watched: int, native_id: int, episodes: Episodes, before: Reading
    ) -> Reading:
        # This comes first: the code below reads files, and the watched thread goes on during that.
        stack, at = self._stack_of(watched), time.monotonic()
        now = take_reading(native_id)
        if now.at - at > self._pause:  # the watched thread has held the GIL all that time
            stack = self._stack_of(watched)
        if stack is None:
            episodes.idle()
        else:
            self._judge(name, episodes, stack, before, now)
        return now

    def _stack_of(self, watched: int) -> Stack | None:
        # The frames are not kept in a variable: one of them is this frame, and it would refer to itself.
        innermost = sys._current_frames().get(watched)
        return stack_of(innermost, self._home) if innermost else None

    def _judge(self, name: str, episodes: Episodes, stack: Stack, before: Reading, now: Reading) -> None:
        innermost = stack.authors[0]
        place = (innermost.file, innermost.number)
        blocked = blocked_between(before, now, self._pause)
        due = episodes.seen(stack.callback, place, blocked, before.at)
        if due is None:
            return
        text = advice(name, due.seconds, self._threshold, stack.authors, held_gil=due.held_gil)
        if self._report(BlockingCode(*place, due.since, due.seconds, text)):
            episodes.told(place)

    def _log(self, blocking: BlockingCode) -> bool:
        # As one text, without arguments: an author's logger may fill them in by braces (`sdk.compat`).
        self._logger.log(logging.WARNING, blocking.text)
        return True


def _native_id_of(thread_id: int) -> int:
    if thread_id == threading.get_ident():
        return threading.get_native_id()
    known = (each.native_id for each in threading.enumerate() if each.ident == thread_id)
    return next(known, None) or os.getpid()
