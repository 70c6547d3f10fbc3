"""Starting an interpreter through `multiprocess`, and taking it over from there."""

from collections.abc import Callable, Mapping
from typing import Any

from multiprocess import process as multiprocess_process
from multiprocess.context import SpawnContext

from supervisor.launcher.environment import starting_for_jobs

_SPAWN = SpawnContext()


class Spawned:
    """A process that `multiprocess` started and the supervisor waits for.

    `multiprocess` would reap it at its next start, and so lose its usage, and would join it for ever at exit: it
    is taken out of the package's book of children. Its death is learnt by pidfd and wait4, like a fork's.
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
        with starting_for_jobs(environment):
            self._process.start()
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
