"""Starting an interpreter through `multiprocess`, and taking it over from there."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from multiprocess import process as multiprocess_process
from multiprocess import resource_tracker, util
from multiprocess.context import SpawnContext

from supervisor.launcher.environment import starting_for_jobs
from supervisor.launcher.known_children import KnownChildren
from supervisor.process.reaping import wait_for

_SPAWN = SpawnContext()


@contextlib.contextmanager
def _without_tracker() -> Iterator[None]:
    """Pass on an empty file where `multiprocess` passes the pipe to its resource tracker, for the length of a start.

    The tracker is a further interpreter, started for the first process and kept: it removes named semaphores and shared
    memory, of which the worker has none. Template and child forget the descriptor (`jobrunner.bootstrap`). A block
    that uses `multiprocess` gets a tracker of its own.
    """
    get = resource_tracker.getfd
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    resource_tracker.getfd = lambda: null
    try:
        yield
    finally:
        resource_tracker.getfd = get
        os.close(null)


@contextlib.contextmanager
def _with_safe_path() -> Iterator[None]:
    """Keep the interpreter that is started meanwhile from importing modules of the working directory as Python's own.

    `multiprocess` starts it by `-c`, which puts that directory first until it has been handed our `sys.path`. A block
    in a file `logging.py` was imported by the template before anything was there to judge it.
    """
    flags = util._args_from_interpreter_flags
    util._args_from_interpreter_flags = lambda: [*flags(), *(() if sys.flags.safe_path else ("-P",))]
    try:
        yield
    finally:
        util._args_from_interpreter_flags = flags


class Spawned:
    """A process that `multiprocess` started and the supervisor waits for.

    `multiprocess` would reap it at its next start, and so lose its usage, and would join it for ever at exit: it
    is taken out of the package's list of children. Its death is learnt by pidfd and wait4, like a fork's.

    Raises `OSError` when it can't be started; then no descriptor stays open.
    """

    def __init__(
        self,
        target: Callable[..., None],
        arguments: tuple[Any, ...],
        name: str,
        environment: Mapping[str, str],
    ) -> None:
        # A daemon as `multiprocess` has it, which its exit handlers would otherwise wait for without end.
        self._process = _SPAWN.Process(target=target, args=arguments, name=name, daemon=True)
        with starting_for_jobs(environment), _without_tracker(), _with_safe_path():
            try:
                self._process.start()
            except BaseException as error:
                # `multiprocess` closes its pipes when its half-made process is forgotten: the traceback remembers it,
                # for as long as somebody keeps the error.
                traceback.clear_frames(error.__traceback__)
                raise
        multiprocess_process._children.discard(self._process)
        pid = self._process.pid
        assert pid is not None
        self.pid: int = pid

    def forget(self) -> None:
        """Release what `multiprocess` holds for a process that was waited for elsewhere."""
        # Otherwise it asks the kernel for a process that is no more, and takes the answer for "still running".
        popen: Any = self._process._popen
        popen.returncode = 0
        self._process.close()

    def take_back(self, known_children: KnownChildren) -> None:
        """Kill it, wait for it and release it: of what was to follow its start, something failed."""
        os.kill(self.pid, signal.SIGKILL)
        wait_for(self.pid, 0)  # a millisecond: it has only begun
        known_children.discard(self.pid)
        self.forget()
