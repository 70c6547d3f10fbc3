"""An interpreter that forks one child into a session of its own, and ends (`jobrunner.middle`)."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping
from typing import Any

from jobrunner.protocol.control import receive_starts
from jobrunner.protocol.entry import PassedDescriptor, run_spawned_child
from supervisor.errors import LaunchError
from supervisor.launcher.endings import until_dead
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.multiprocessing_spawn import Spawned
from supervisor.process.reaping import wait_for
from supervisor.process.shortage import explain


class SpawnedMiddle:
    """Starts the interpreter. `child_pid` gets the pid of its child, or a `LaunchError`. Always end it.

    Raises `LaunchError` if the machine has no resources left for it; then no descriptor stays open.
    """

    def __init__(
        self, arguments: tuple[Any, ...], environment: Mapping[str, str], known_children: KnownChildren
    ) -> None:
        self.child_pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._known_children = known_children
        self._ends = False
        self._ended = asyncio.Event()
        with contextlib.ExitStack() as undo:
            try:
                self._start(arguments, environment, undo)
            except (OSError, RuntimeError) as error:
                raise LaunchError(
                    f"An interpreter for a child could not be started: {explain(error)}"
                ) from error
            undo.pop_all()

    def _start(
        self, arguments: tuple[Any, ...], environment: Mapping[str, str], undo: contextlib.ExitStack
    ) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        undo.callback(self._control.close)
        with theirs:
            passed = (os.getpid(), PassedDescriptor(theirs.fileno()), *arguments)
            self._spawned = Spawned(run_spawned_child, passed, "neops-job", environment)
        self.pid = self._spawned.pid
        self._known_children.add(self.pid)
        undo.callback(self._spawned.take_back, self._known_children)
        self._control.setblocking(False)
        asyncio.get_running_loop().add_reader(self._control, self.hear)

    def hear(self) -> None:
        """Read what it has announced, without waiting."""
        if self.child_pid.done():
            return
        starts, gone = receive_starts(self._control)
        for start in starts:
            if start.pid:
                self._known_children.add(start.pid)
                self.child_pid.set_result(start.pid)
            else:
                self._fail("had no process or memory left on this machine to start a child")
            return
        if gone:
            self._fail("ended before it started a child; see what it has printed")

    def _fail(self, how: str) -> None:
        self.child_pid.set_exception(LaunchError(f"An interpreter for a child (pid {self.pid}) {how}."))

    async def end(self) -> None:
        """End the interpreter, unless it has ended: this takes a millisecond or two, or as long as a hanging disk."""
        if self._ends:
            return
        self._ends = True
        asyncio.get_running_loop().remove_reader(self._control)
        os.kill(self.pid, signal.SIGKILL)
        await until_dead(self.pid)
        wait_for(self.pid)
        self.hear()  # it may have announced a child in its last moment
        self._known_children.discard(self.pid)
        self._known_children.forker_is_dead()
        self._spawned.forget()
        self._control.close()
        self._ended.set()

    async def give_up(self) -> None:
        """End the interpreter and its unwanted child, if there is one: only then is the child this process's own."""
        await self.end()
        await self._ended.wait()
        if self.child_pid.done() and not self.child_pid.cancelled() and self.child_pid.exception() is None:
            await end_child(self.child_pid.result(), self._known_children)


async def end_child(pid: int, known_children: KnownChildren) -> None:
    """Kill a child of this process that has only begun, and reap it: a millisecond, unless a disk holds it up."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    await until_dead(pid)
    with contextlib.suppress(ChildProcessError):
        wait_for(pid)
    known_children.discard(pid)
