"""Which processes the demo has started, directly or not, and which of them are left.

It finds them in two ways, because each misses some. By descent: the demo is a subreaper, so a process that loses its
parent below the demo becomes its child, also a daemon. And by a mark in environment or command line.
"""

import contextlib
import os
from dataclasses import dataclass
from typing import Final

import psutil

from jobrunner.protocol.linux import become_subreaper
from supervisor.settings.marks import MARK_VARIABLE

_GONE: Final = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)


@dataclass(frozen=True, slots=True)
class Found:
    """A process: its number and its command line."""

    pid: int
    command: str


class Census:
    """Knows what runs below this process. Create it before anything is started."""

    def __init__(self, mark: str) -> None:
        become_subreaper()
        self._mark = mark
        self._excepted: set[int] = set()
        self._seen: set[psutil.Process] = set()
        self.marked_last_words: set[str] = set()
        """The last words of all command lines with the mark: the kinds of descendants that really ran."""

    @property
    def seen(self) -> int:
        """How many different processes were seen."""
        return len(self._seen)

    def expect(self, pid: int) -> None:
        """Remember `pid` as a program of the demo's own: it is neither counted nor left over."""
        self._excepted.add(pid)

    def look(self) -> None:
        """Note every process below this one. Takes some milliseconds: call it in a thread."""
        for process in psutil.Process().children(recursive=True):
            if process.pid not in self._excepted:
                self._seen.add(process)
                command = _command(process)
                if self._mark in command:
                    self.marked_last_words.add(command[-1])

    def left(self) -> list[Found]:
        """Return what still runs, without zombies. Reaps zombies that this process has inherited."""
        below = set(psutil.Process().children(recursive=True))
        candidates = below | {process for process in self._seen if process.is_running()} | self._marked()
        return [
            Found(process.pid, " ".join(_command(process)))
            for process in sorted(candidates, key=lambda process: process.pid)
            if process.pid not in self._excepted and _is_alive(process)
        ]

    def _marked(self) -> set[psutil.Process]:
        own = os.getpid()
        return {
            process for process in psutil.process_iter() if process.pid != own and self._has_mark(process)
        }

    def _has_mark(self, process: psutil.Process) -> bool:
        if self._mark in _command(process):
            return True
        # Not allowed for other users' processes, and for those that forbid it.
        with contextlib.suppress(*_GONE, OSError):
            return process.environ().get(MARK_VARIABLE) == self._mark
        return False


def _command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(*_GONE):
        return process.cmdline()
    return []


def _is_alive(process: psutil.Process) -> bool:
    try:
        if process.status() != psutil.STATUS_ZOMBIE:
            return True
        if process.ppid() == os.getpid():
            os.waitpid(process.pid, os.WNOHANG)
    except (*_GONE, ChildProcessError):
        pass
    return False
