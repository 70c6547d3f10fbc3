"""Warns people about code that holds up a job's event loop: the child reports some cases, this module finds the rest.

The child watches itself (`jobrunner.blocking`). Its thread can't run while C code holds the GIL. This module sees that
by the missing ticks, and reports it while it lasts. It asks for the stack by a signal, which a system call can notice
(`supervisor.watch.stall`), so it asks only if the code computes. If C code sleeps with the GIL, the child reports it
when the GIL is free, or the watch for stalls does: a warning must not wake the code that it is about.
"""

import asyncio
import contextlib
import logging
import time
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files
from jobrunner.protocol.messages import Blocking
from supervisor.launcher.child import Child
from supervisor.lifecycle.durations import STACK_SECONDS
from supervisor.lifecycle.gil import ThreadSeen, held_seconds, sleeps
from supervisor.log.events.jobs import BlockingUnwatched, BlockingWatched, LoopBlocked
from supervisor.process.tasks import Tasks
from supervisor.watch.joblog import JobLog
from supervisor.watch.rounds import reason_of
from supervisor.watch.stack import Frame, leave_out_what_was_told, main_thread_of, take_dump
from supervisor.watch.whose_code import Whose, whose

_log = logging.getLogger(__name__)

MOST_PLACES: Final = 20
"""So many warnings of one job are passed on: nothing else limits what a child sends."""

_LOOK_SECONDS: Final = 0.2
_RETRY_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.1
"""Below this, the child's own thread wakes up so often that it looks like one that waits for the GIL."""


class BlockingReport:
    """Warns of each place once. `home` is the directory of the block's source. A threshold of 0 turns it off."""

    def __init__(self, child: Child, log: JobLog, block_id: str, home: str, threshold_seconds: float) -> None:
        self._child = child
        self._log = log
        self._block_id = block_id
        self._home = home
        self._threshold_seconds = threshold_seconds
        self._told: set[tuple[str, int]] = set()
        self._told_at = 0.0
        self._ticked_at = 0.0
        self._ticks = asyncio.Event()
        self._failing = False
        self._watches = False
        self._beginning: asyncio.TimerHandle | None = None
        self._sleeps = False
        self._tasks = Tasks()

    def begin(self) -> None:
        """Note that the job has its order. Its silence counts from now. A very short job is not watched."""
        self._ticked_at = time.monotonic()
        if self._threshold_seconds >= _LEAST_SECONDS:
            # The watch pauses before its first look.
            pause = max(0.0, self._threshold_seconds - _LOOK_SECONDS)
            self._beginning = asyncio.get_running_loop().call_later(pause, self._begin_watch)

    def ticked(self, *, sleeps: bool = False) -> None:
        """Note that the loop runs, or begins to sleep. The watch from here begins with this, or before."""
        self._ticked_at = time.monotonic()
        self._sleeps = sleeps
        self._ticks.set()
        self._begin_watch()

    def _begin_watch(self) -> None:
        if not self._watches and self._threshold_seconds >= _LEAST_SECONDS:
            self._watches = True
            self._tasks.keep(self._watch, "watch for blocking code")

    def blocked(self, message: Blocking) -> None:
        """Report what the child has found, unless the place is known."""
        place = (message.file, message.line)
        if message.since < self._told_at:  # already reported from here, while the child could not speak
            self._is_new(place)
            return
        self._ticked_at = time.monotonic()  # it sends something: its silence begins again
        self._tell(place, message.text)

    def stop(self) -> None:
        """Stop watching: the job is being ended, and its result will show where it was."""
        self._watches = True  # otherwise a late tick would begin the watch
        if self._beginning is not None:
            self._beginning.cancel()
        self._tasks.cancel()

    def _tell(self, place: tuple[str, int], text: str) -> None:
        if self._is_new(place):
            self._log.tell(LoopBlocked, explanation=text)

    def _is_new(self, place: tuple[str, int]) -> bool:
        """Remember the place, and return whether to report it: not if it is known, or if there are too many."""
        if place in self._told or len(self._told) >= MOST_PLACES:
            return False
        self._told.add(place)
        return True

    async def _watch(self) -> None:
        due = self._ticked_at + self._threshold_seconds
        while True:
            while self._sleeps:  # no code of the block runs on the loop before its next tick
                self._ticks.clear()
                await self._ticks.wait()
            await asyncio.sleep(max(due - time.monotonic(), _LOOK_SECONDS))
            ticked_at = self._ticked_at
            due = ticked_at + self._threshold_seconds
            if time.monotonic() < due or self._sleeps:
                continue
            try:
                if self._child.unread_bytes():
                    continue
                self._ticks.clear()  # before the look: a tick after this ends this silence
                is_over = await self._look(ticked_at)
            except Exception as error:  # perhaps no descriptor or memory is left: the next look may succeed
                self._tell_looking(reason_of(error))
                due = time.monotonic() + _RETRY_SECONDS
                continue
            self._tell_looking(None)
            if is_over:
                await self._ticks.wait()
            due = time.monotonic() + self._threshold_seconds

    def _tell_looking(self, failure: str | None) -> None:
        if (failure is not None) is not self._failing:
            self._failing = failure is not None
            if failure is None:
                self._log.tell(BlockingWatched)
            else:
                self._log.tell(BlockingUnwatched, reason=failure)

    async def _look(self, ticked_at: float) -> bool:
        """Report the code if the child can't. Return whether this silence needs no further look."""
        held = 0.0
        while held < self._threshold_seconds:
            seconds = await self._held_seconds()
            if not seconds or self._ticked_at != ticked_at:
                return False
            held += seconds
        dump = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STACK_SECONDS), self._child.dump_turn:
                dump = await take_dump(self._child, main_only=True)
                leave_out_what_was_told(self._child)
        frames = [frame for frame in main_thread_of(dump) if whose(frame.file, self._home) is Whose.AUTHOR]
        # It may have released the GIL and be elsewhere by now, or the block does not hold the GIL.
        if self._ticked_at != ticked_at or not frames:
            return bool(dump)
        self._told_at = time.monotonic()
        place = (frames[0].file, frames[0].line)
        self._tell(place, self._text(frames, self._told_at - ticked_at))
        return True

    async def _held_seconds(self) -> float:
        began, before = time.monotonic(), _threads_of(self._child.pid)
        await asyncio.sleep(_LOOK_SECONDS)
        after = _threads_of(self._child.pid)
        if sleeps(before, after, self._child.pid, time.monotonic() - began):
            return 0.0
        return held_seconds(before, after, self._child.pid, time.monotonic() - began)

    def _text(self, frames: list[Frame], seconds: float) -> str:
        lines = "\n".join(
            f'  File "{each.file}", line {each.line}, in {each.function}' for each in reversed(frames)
        )
        return (
            f"{self._block_id} blocks its event loop: C code has held the GIL for {seconds:.1f} s. No other "
            f"code of the job could run meanwhile, in no thread. (The limit is {self._threshold_seconds:g} s.) "
            f"Blocking at (most recent call last):\n{lines}\nDo it in smaller pieces, or in a process of its own. "
            "What does not hold the GIL (netmiko, requests, time.sleep) runs in a thread: decorate it with "
            "sdk.concurrency.run_in_thread, and await several at once with "
            "run_parallel(*(show(host) for host in hosts), limit=50)."
        )


def _threads_of(pid: int) -> dict[int, ThreadSeen]:
    """Look at all threads of a process. Empty if it has ended, or if the kernel does not show them.

    Raises `OSError` if this process can't look, for example because no descriptor is left.
    """
    seen: dict[int, ThreadSeen] = {}
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        for path in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                cpu, queued, turns = map(int, kernel_files.read(path / "schedstat").split())
                seen[int(path.name)] = ThreadSeen(cpu / 1e9, queued / 1e9, turns)
    return seen
