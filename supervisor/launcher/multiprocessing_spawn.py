"""Starts an interpreter through `multiprocess`, and takes it over from there."""

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
    """During a start, pass on an empty file in place of the pipe to the resource tracker of `multiprocess`.

    The tracker is one more interpreter, which starts with the first process and stays. It removes named semaphores and
    shared memory, and the worker has none. Template and child drop the descriptor (`jobrunner.bootstrap`). A block
    that uses `multiprocess` gets its own tracker.
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
    """Keep the new interpreter from importing modules of the working directory in place of Python's own.

    `multiprocess` starts it by `-c`, which puts that directory first until it gets our `sys.path`. So the template
    would import a block's file `logging.py` before any check could run there.
    """
    flags = util._args_from_interpreter_flags
    util._args_from_interpreter_flags = lambda: [*flags(), *(() if sys.flags.safe_path else ("-P",))]
    try:
        yield
    finally:
        util._args_from_interpreter_flags = flags


class Spawned:
    """A process that `multiprocess` started and the supervisor reaps.

    `multiprocess` would reap it at its next start, and its usage would be lost. At exit it would join it for ever. So
    the process is removed from the package's list of children. A pidfd and wait4 report its death, as for a fork.

    Raises `OSError` if it can't be started; then no descriptor stays open.
    """

    def __init__(
        self,
        target: Callable[..., None],
        arguments: tuple[Any, ...],
        name: str,
        environment: Mapping[str, str],
    ) -> None:
        # A daemon in the sense of `multiprocess`: otherwise its exit handlers would wait for it for ever.
        self._process = _SPAWN.Process(target=target, args=arguments, name=name, daemon=True)
        with starting_for_jobs(environment), _without_tracker(), _with_safe_path():
            try:
                self._process.start()
            except BaseException as error:
                # `multiprocess` closes its pipes when its half-made process is freed. The traceback would keep it, for
                # as long as somebody keeps the error.
                traceback.clear_frames(error.__traceback__)
                raise
        multiprocess_process._children.discard(self._process)
        pid = self._process.pid
        assert pid is not None
        self.pid: int = pid

    def forget(self) -> None:
        """Release what `multiprocess` holds for a process that was reaped elsewhere."""
        # Otherwise it asks the kernel for a process that is gone, and takes the answer for "still running".
        popen: Any = self._process._popen
        popen.returncode = 0
        self._process.close()

    def take_back(self, known_children: KnownChildren) -> None:
        """Kill it, reap it and release it: a step after its start has failed."""
        os.kill(self.pid, signal.SIGKILL)
        wait_for(self.pid, 0)  # a millisecond: it has only begun
        known_children.discard(self.pid)
        self.forget()
