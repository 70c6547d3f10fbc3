"""Whether a process has run since a look at it, by the kernel's counters: a sleeping process needs no full look."""

import contextlib
import os
import time

from jobrunner.protocol import kernel_files

_NOT_COUNTED = b"0 0 0"
"""A kernel without CONFIG_SCHED_INFO shows this for each thread."""


class MainThreadSleep:
    """Whether the first thread of a process has slept since the last look, by its own choice."""

    def __init__(self, pid: int) -> None:
        self._path = f"/proc/{pid}/status"
        self._switches: bytes | None = None

    def begin(self) -> None:
        """Note that it begins to sleep: it has run until now."""
        self._switches = None

    def lasts(self) -> bool:
        """Look. Returns whether it has not run since the last look, or does not run at the first look."""
        try:
            status = kernel_files.read(self._path)
        except OSError:
            return False
        # Each time that it gives up a processor, or must, one of the last two lines counts up.
        before, self._switches = self._switches, status[status.rfind(b"\nvoluntary_ctxt") :]
        # Not stopped: a stopped thread would not go on when something happens.
        return b"\nState:\tS" in status and before in (None, self._switches)


class ProcessSleep:
    """Whether no thread of a process has run since `begin`: then it has started nothing, and its memory is the same.

    Only a running thread can start a new thread or process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._marks: dict[str, bytes] = {}
        self._began_at = 0.0

    def begin(self) -> None:
        """Note how much each thread has run so far."""
        self._marks, self._began_at = {}, time.monotonic()
        with contextlib.suppress(OSError):
            self._marks = {thread: self._mark(thread) for thread in os.listdir(f"/proc/{self._pid}/task")}

    def end(self) -> None:
        """Forget everything: `lasts` is false from now on."""
        self._marks = {}

    def lasts(self, most_seconds: float) -> bool:
        """Whether all threads have slept since `begin`, and `begin` is at most `most_seconds` ago."""
        if not self._marks or time.monotonic() - self._began_at > most_seconds:
            return False
        try:
            return all(
                mark == self._mark(thread) and not mark.startswith(_NOT_COUNTED)
                for thread, mark in self._marks.items()
            )
        except OSError:
            return False

    def _mark(self, thread: str) -> bytes:
        return kernel_files.read(f"/proc/{self._pid}/task/{thread}/schedstat")
