"""A child as the supervisor holds it: by its pidfd, never only by its number."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from jobrunner.protocol import linux
from jobrunner.protocol.caps import LOG_CAP_CHARS
from jobrunner.protocol.frames import FrameError, read_frame
from jobrunner.protocol.messages import Join, Ready, from_child
from supervisor.errors import LaunchError
from supervisor.launcher.channel_stream import ChannelStream, Passed
from supervisor.launcher.endings import until_dead
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.process_groups import ProcessGroups
from supervisor.launcher.wiring import Wiring
from supervisor.process.cgroups.cgroup import WITHOUT
from supervisor.process.memory import NOTHING_INHERITED
from supervisor.process.pipe_ends import last_words, pipe_threads
from supervisor.process.proc import status_of
from supervisor.process.reaping import wait_for
from supervisor.process.shortage import explain
from supervisor.process.signal_names import signal_name
from supervisor.process.time_limit import time_limit
from supervisor.verdict import ExitStatus

_DESCRIPTOR: Final = struct.Struct("i")
_LAST_WORDS_BYTES: Final = 4096
_STACK_SIGNALS: Final = (linux.DUMP_SIGNAL, linux.MAIN_STACK_SIGNAL)
_NOTHING_TAKEN: Final = Ready(pid=0)
_JOIN: Final = Join()


@dataclass(frozen=True, slots=True)
class Reaped:
    """The kernel's figures of a reaped child, without what it had used when it was ready.

    `None` if another process has reaped it, or traces it.
    """

    peak_memory_mb: float | None
    cpu_seconds: float | None
    status: ExitStatus | None = None


class Child:
    """One process that was started for one job.

    Until `reap` is called, a dead child stays a zombie. So no other process can get its pid or the number of its
    process group.

    Raises `OSError` if its end can't be waited for; then `pidfd`, which this object owns, is closed.
    """

    def __init__(self, pid: int, pidfd: int, wiring: Wiring, known_children: KnownChildren) -> None:
        self.pid = pid
        self.stdout = wiring.stdout
        self.stderr = wiring.stderr
        self.dump = wiring.dump
        self.dump_start = 0
        """Where the part of `dump` begins that was not reported yet."""
        self.dump_turn = asyncio.Lock()
        """Held while somebody asks for a stack of a running job (`supervisor.watch.running_stack`)."""
        self.cgroup = WITHOUT
        self.groups = ProcessGroups(pid, pidfd)
        self.inherited = NOTHING_INHERITED
        """The part of its memory that comes from the template, if it is a fork of one."""
        self.joins_by_itself = False
        """Whether it may make its own cgroups before its order: no user of its own, and all files still open to it."""
        self.user: int | None = None
        """The user that the child runs as, if it is not the supervisor's own."""
        self.on_closed: Callable[[], None] = _nothing
        """Called once, when this child is dead and closed."""
        self.on_session_left: Callable[..., None] = _nothing
        """Called then too, with `is_empty`: whether no process of a job can be left in its session."""
        self.exited: asyncio.Future[ExitStatus] = asyncio.get_running_loop().create_future()
        self._pidfd = pidfd
        self._channel: socket.socket = wiring.channel
        self._known_children = known_children
        self.when_ready = _NOTHING_TAKEN
        """What it had used when it was ready, as it said itself: that does not count for its job."""
        self._closed = False
        self._is_reaped = False
        try:
            asyncio.get_running_loop().add_reader(pidfd, self._on_exit)
        except OSError:
            os.close(pidfd)
            raise

    async def get_ready(self, timeout_seconds: float) -> None:
        """Open the channel's stream and wait for the child's first frame.

        Raises `LaunchError` if it ends or stays silent instead. Then, and if cancelled, it is killed and reaped.
        """
        try:
            await self._wait_until_ready(timeout_seconds)
        except BaseException:
            self.discard()
            raise

    async def _wait_until_ready(self, timeout_seconds: float) -> None:
        try:
            async with time_limit(timeout_seconds):
                self.channel = ChannelStream(self._channel, 4 * LOG_CAP_CHARS, self._take_listener)
                if await self._hear_ready():
                    return
            reason = "ended before it was ready"
        except TimeoutError:  # it is also an OSError, so it comes first
            reason = f"was not ready within {timeout_seconds:g} s"
        except (FrameError, OSError) as error:
            reason = f"was not ready: {error}"
        raise LaunchError(f"A child {reason}.", evidence=await self._last_words())

    async def _hear_ready(self) -> bool:
        frame = await read_frame(self.channel.reader, 0)
        if frame is None or not isinstance(message := from_child(frame), Ready):
            return False
        self.when_ready = message
        return True

    async def join(self, cgroups: Iterable[str]) -> None:
        """Ask a ready child to make these cgroups and move into them. Wait until it has tried, or has ended.

        The cgroups then show whether it could. What it used for that does not count for its job. Raises `LaunchError`
        for an invalid answer.
        """
        self.channel.send(_JOIN.pack(os.fsencode("\0".join(cgroups))))
        try:
            await self._hear_ready()
        except FrameError as error:
            raise LaunchError(
                f"A child was not ready: {error}.", evidence=await self._last_words()
            ) from error

    def _take_listener(self, passed: Passed, flags: int) -> None:
        """Take the descriptor that comes with the first frame, if there is one.

        Raises `OSError` if it can't be listened to: nobody would answer, and the job would hang at its first such call.
        """
        if flags & socket.MSG_CTRUNC:
            # The kernel found no free descriptor for it here. Without it no process of the job could leave its group.
            error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            raise LaunchError(f"A child can't be started: {explain(error)}")
        for _, _, data in passed:
            self.groups.listen(*_DESCRIPTOR.unpack(data))

    def unread_bytes(self) -> int:
        """Return how many bytes that the child has sent are still in the socket."""
        return self.channel.unread_bytes()

    async def _last_words(self) -> str:
        try:
            said = await last_words(self.stderr)
        except OSError:
            return ""
        # The error is at the end of a traceback.
        return said[-_LAST_WORDS_BYTES:].decode(errors="backslashreplace")

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        if self.exited.done():
            return
        status = ExitStatus()
        try:
            info = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        except ChildProcessError:  # not this process's child yet, or reaped by a library: dead in either case
            info = None  # same if a descendant traces it, until that one is dead: then `reap` knows
        if info is not None:
            status = (
                ExitStatus(code=info.si_status)
                if info.si_code == os.CLD_EXITED
                else ExitStatus(signal_name=signal_name(info.si_status))
            )
        self.exited.set_result(status)

    def kill(self) -> None:
        """Send SIGKILL. Harmless if the child is dead."""
        self._signal(signal.SIGKILL)

    def resume(self) -> None:
        """Let a stopped child go on. Harmless if it is dead."""
        self._signal(signal.SIGCONT)

    def ask_for_stack(self, *, of_main: bool = False) -> bool:
        """Ask faulthandler in the child to write the stack of every thread, or of the main one, to `dump`.

        Returns whether it was asked: not if nothing catches the signal, because that would end a block after an exec.
        """
        number = linux.MAIN_STACK_SIGNAL if of_main else linux.DUMP_SIGNAL
        if catches := self._has("SigCgt", number):
            self._signal(number)
        return catches

    def owes_stack(self) -> bool:
        """Whether no thread of it has taken such a signal yet. If one has, and nothing was written, nothing will be."""
        return any(self._has("ShdPnd", number) for number in _STACK_SIGNALS)

    def may_be_writing_stack(self) -> bool:
        """Whether its main thread may be writing it: a signal is blocked while its handler runs (sigaction(2)).

        Or the block has blocked it. Then another thread answers, and nobody knows when it has finished.
        """
        return any(self._has("SigBlk", number) for number in _STACK_SIGNALS)

    def ask_for_awaits(self, *, for_a_person: bool = False, with_threads: bool = False) -> None:
        """Ask a child whose event loop waits to write to `dump` what its tasks await; `with_threads`: those first.

        `for_a_person`: it is no evidence of the job's end.
        """
        awaits = linux.AWAITS_AGAIN_SIGNAL if for_a_person else linux.AWAITS_SIGNAL
        for number in (linux.THREADS_SIGNAL, awaits):
            if (with_threads or number is awaits) and self._has("SigCgt", number):
                self._signal(number)

    def _has(self, field: str, number: int) -> bool:
        numbers = int(status_of(self.pid).get(field, "0"), 16)
        return bool(numbers >> (number - 1) & 1)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def reap(self) -> Reaped:
        """Wait for the dead child, and return what it used. Call it when nothing of its tree is left.

        It may be called again. While somebody traces the child it returns nothing; `close` reaps it after that.
        """
        if self._is_reaped:  # its number may belong to another process
            return Reaped(None, None)
        try:
            pid, status, usage = wait_for(self.pid)
        except ChildProcessError:
            pid, status, usage = self.pid, None, None
        if not pid:
            return Reaped(None, None)
        self._is_reaped = True
        self._known_children.discard(self.pid)
        if usage is None or status is None:
            return Reaped(None, None)
        code = os.waitstatus_to_exitcode(status)
        ended = ExitStatus(code=code) if code >= 0 else ExitStatus(signal_name=signal_name(-code))
        before = self.when_ready
        # A fork begins with the template's pages. A spawned interpreter's memory is the job's, as in the samples.
        inherited_kb = before.peak_memory_kb if self.inherited.anonymous_bytes else 0
        peak_memory_mb = max(0, usage.ru_maxrss - inherited_kb) / 1024
        cpu_seconds = max(0.0, usage.ru_utime + usage.ru_stime - before.cpu_seconds)
        return Reaped(peak_memory_mb, cpu_seconds, ended)

    async def _reap_later(self) -> None:
        """Reap the dead child when its tracer has ended, or let it go. Nobody waits for its figures then."""
        await until_dead(self.pid)
        self.reap()

    def reap_and_close(self) -> None:
        """Reap and close a child that never had a job: nothing can be left of it."""
        self.reap()
        self.close()

    def discard(self, *, had_job: bool = False) -> None:
        """Kill a child, and reap it when it is dead. If it `had_job`, it may have left something."""
        self.kill()
        if had_job:
            self.on_session_left = partial(self.on_session_left, is_empty=False)
        self.exited.add_done_callback(lambda _: self.reap_and_close())

    def close(self) -> None:
        """Close every descriptor of this child, of which nothing is left. Does not kill it.

        If it could not be reaped, it is reaped in the background as soon as possible.
        """
        if self._closed:
            return
        self._closed = True
        asyncio.get_running_loop().remove_reader(self._pidfd)
        self.groups.close()
        if hasattr(self, "channel"):
            self.channel.close()
        else:
            self._channel.close()
        for descriptor in (self._pidfd, self.dump):
            os.close(descriptor)
        for end in (self.stdout, self.stderr):
            pipe_threads().close(end)
        if not self._is_reaped:
            self._known_children.endings.start(self._reap_later(), "end of a child that somebody traces")
        self.cgroup.remove()
        self.on_closed()
        self.on_session_left()


def _nothing(**_more: object) -> None:
    """What happens after most children are closed."""
