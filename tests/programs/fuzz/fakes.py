"""A child and its surroundings without a process: real sockets and pipes, and everything else made up."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import Any, Self

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.messages import Ready
from supervisor.launcher.channel_stream import ChannelStream
from supervisor.launcher.child import Reaped
from supervisor.launcher.sweep import Swept
from supervisor.process.cgroups.cgroup import WITHOUT
from supervisor.process.memory import NOTHING_INHERITED
from supervisor.verdict import ExitStatus

Speaker = Callable[["FakeChild"], Any]


class FakeChild:
    """What an `Execution` needs of a child. `far` is the child's end of the channel, a blocking socket's."""

    def __init__(self) -> None:
        self.pid = 2**22 + 1  # above what the kernel gives out
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.setblocking(False)
        self._near = near
        self.stdout, self.far_stdout = os.pipe()
        self.stderr, self.far_stderr = os.pipe()
        for descriptor in (self.stdout, self.stderr):
            os.set_blocking(descriptor, False)
        self.dump, self.dump_start = os.memfd_create("fuzz"), 0
        self.dump_turn = asyncio.Lock()
        self.exited: asyncio.Future[ExitStatus] = asyncio.get_running_loop().create_future()
        self.cgroup, self.user, self.groups = WITHOUT, None, NoGroups()
        self.inherited, self.when_ready = NOTHING_INHERITED, Ready(pid=0)
        self._closed = False

    async def connect(self) -> Self:
        """Open the streams, as `Child.get_ready` does."""
        self.channel = ChannelStream(self._near, 64_000)
        return self

    async def send(self, data: bytes) -> None:
        """Send bytes as the child would, as far as anybody reads them."""
        try:
            await asyncio.get_running_loop().sock_sendall(self.far, data)
        except OSError:
            return

    def end(self, status: ExitStatus) -> None:
        """End, as far as the worker can tell."""
        with contextlib.suppress(OSError):
            self.far.shutdown(socket.SHUT_RDWR)  # not closed: somebody may be sending
        if not self.exited.done():
            self.exited.set_result(status)

    def kill(self) -> None:
        self.end(ExitStatus(signal_name="SIGKILL"))

    def unread_bytes(self) -> int:
        return 0

    def may_be_writing_stack(self) -> bool:
        return False

    def ask_for_stack(self, *, of_main: bool = False) -> bool:
        os.write(self.dump, b'Thread 0x1 (most recent call first):\n  File "block.py", line 1 in run\n')
        return True

    def reap(self) -> Reaped:
        return Reaped(1.0, 0.0)

    def discard(self, *, had_job: bool = False) -> None:
        self.kill()
        self.exited.add_done_callback(lambda _: self.reap_and_close())

    def reap_and_close(self) -> None:
        self.close()

    def close(self) -> None:
        """Close all descriptors."""
        if self._closed:
            return
        self._closed = True
        self.far.close()
        self.channel.close()
        for descriptor in (self.stdout, self.stderr, self.far_stdout, self.far_stderr, self.dump):
            os.close(descriptor)


class NoGroups:
    """The process groups of a child that starts nothing."""

    complete = True

    def watch(self, *_: object) -> None: ...

    def tell_nobody(self) -> None: ...

    def hold(self) -> None: ...

    def send(self, *_: object) -> None: ...


class NothingToSweep:
    """A sweeper for children that leave nothing."""

    def enter(self, job: object) -> None: ...

    def leave(self, job: object) -> None: ...

    def clear_if_empty(self, job: object) -> bool:
        return True

    async def clear(self, job: object, bound_seconds: float | None = None) -> Swept:
        return Swept(0, 0)

    def look_for_strays(self) -> None: ...

    async def close(self) -> None: ...


class NoSampler:
    """A sampler that looks at nothing."""

    def watch(self, *_: object) -> None: ...

    def forget(self, *_: object) -> None: ...

    async def close(self) -> None: ...


def block_entry(name: str = "echo") -> BlockEntry:
    """A block as a catalogue has it."""
    return BlockEntry(
        id=f"fuzz/{name}:1.0.0", package="fuzz", name=name, version=(1, 0, 0), description="d", run_on="global",
        fb_type="execute", help_text="h", deprecated=False, is_idempotent=False, is_pure=False, reversible=False,
        parameter_schema={}, result_schema={}, max_seconds=None, max_memory_mb=None, module="m", file=None, line=None,
    )  # fmt: skip
