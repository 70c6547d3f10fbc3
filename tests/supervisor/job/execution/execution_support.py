"""An execution around a child without a process. All that is asked of child and surroundings is written down."""

import asyncio
import os
from collections.abc import Callable
from typing import Any, Self

from jobrunner.protocol.frames import Frame, read_frame
from jobrunner.protocol.masking import Mask
from jobrunner.protocol.messages import Begin, Blocking, Cancel, Header, Outcome, to_child
from supervisor.job.device_sessions import JobSessions, SessionDesk
from supervisor.job.execution import Execution
from supervisor.job.result import Finished
from supervisor.job.watchers import Watchers
from supervisor.launcher.child import Reaped
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.sweep import Swept
from supervisor.verdict import ExitStatus, Limits, OutOfMemory
from supervisor.watch.joblog import JobLog
from supervisor.watch.look import Sample
from tests.patience import PATIENCE_SECONDS
from tests.programs.fuzz.fakes import FakeChild

BLOCK = "acme/block:1.0.0"
SECRET = "Trellis-Wagon-1842"
SIGKILL = ExitStatus(signal_name="SIGKILL")
STACK = 'Thread 0x1 (most recent call first):\n  File "block.py", line 7 in run\n'
DONE = Outcome(success=True, message="done", body_bytes=2)
Calls = list[Any]


class FakeCgroup:
    """A cgroup in which the kernel has ended something when the test says so."""

    def __init__(self) -> None:
        self.oom: OutOfMemory | None = None
        self.limits: tuple[float | None, int | None] | None = None
        self.limits_memory = False

    def set_limits(self, memory_mb: float | None, tasks: int | None) -> None:
        self.limits = (memory_mb, tasks)

    def out_of_memory(self) -> OutOfMemory | None:
        return self.oom

    def processes(self) -> set[int]:
        return set()


class RecordedChild(FakeChild):
    """A child that writes down what is done to it."""

    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self.calls = calls
        self.cgroup = FakeCgroup()  # type: ignore[assignment]  # what is used of it
        self.on_closed: Callable[[], None] = lambda: calls.append("give back")
        self.obeys = True
        """Whether it dies of SIGKILL."""
        self.stack = STACK
        self.reaped = Reaped(33.0, 1.5)
        self.unread = 0
        self.looks = 0

    def kill(self) -> None:
        self.calls.append("kill")
        if self.obeys:
            self.end(SIGKILL)

    def resume(self) -> None:
        self.calls.append("resume")

    def ask_for_stack(self, *, of_main: bool = False) -> None:
        self.calls.append("stack")
        os.write(self.dump, self.stack.encode())

    def reap(self) -> Reaped:
        self.calls.append("reap")
        return self.reaped

    def discard(self, *, had_job: bool = False) -> None:
        self.calls.append("give up")
        self.end(SIGKILL)
        self.exited.add_done_callback(lambda _: self.close())

    def close(self) -> None:
        self.calls.append("close")
        super().close()
        self.on_closed()

    def unread_bytes(self) -> int:
        self.looks += 1
        return self.unread


class Sweeper:
    """Finds what the test left to be found."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.finds: Swept | Exception = Swept(0, 0)

        self.present: list[object] = []

    def enter(self, job: object) -> None:
        self.present.append(job)

    def leave(self, job: object) -> None:
        if job in self.present:
            self.present.remove(job)

    def clear_if_empty(self, job: JobProcesses) -> bool:
        if isinstance(self.finds, OSError):
            raise self.finds
        if self.finds != Swept(0, 0):
            return False
        self.calls.append(("sweep", job.groups, job.cgroup))
        return True

    async def clear(self, job: JobProcesses, bound_seconds: float | None = None) -> Swept:
        self.calls.append(("sweep", job.groups, job.cgroup))
        await asyncio.sleep(0)
        if isinstance(self.finds, Exception):
            raise self.finds
        return self.finds


class Watcher:
    """Sampler and head count: what is watched, until it is forgotten."""

    def __init__(self, calls: Calls, name: str) -> None:
        self.calls, self.name = calls, name
        self.tell: Callable[[Any], None]
        self.fail: Callable[[str], None]
        self.seen: Sample | None = None

    def watch(self, pid: int, *arguments: Any) -> None:
        self.tell, self.fail = [one for one in arguments if callable(one)]
        self.calls.append((f"{self.name} watches", pid, *[one for one in arguments if not callable(one)]))

    def last(self, pid: int) -> Sample | None:
        return self.seen

    def forget(self, pid: int) -> None:
        self.calls.append((f"{self.name} forgets", pid))

    async def close(self) -> None:
        self.calls.append(f"{self.name} closes")


class Reports:
    """What would be told of the event loop."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def begin(self) -> None: ...

    def stop(self) -> None:
        self.calls.append("reports stop")

    def ticked(self, *, sleeps: bool = False) -> None:
        self.calls.append("sleeps" if sleeps else "ticked")

    def blocked(self, message: Blocking) -> None:
        self.calls.append(("blocked", message.line))

    def stalled(self, seconds: float) -> None:
        self.calls.append("stalled")

    def resumed(self, seconds: float) -> None:
        self.calls.append("resumed")


class Scene:
    """One execution, and the child's side of it."""

    def __init__(self, limits: Limits, desk: SessionDesk | None = None, pid: int | None = None) -> None:
        self.calls: Calls = []
        self.child = RecordedChild(self.calls)
        self.child.pid = pid or self.child.pid
        self.sweeper = Sweeper(self.calls)
        self.sampler, self.headcount = Watcher(self.calls, "sampler"), Watcher(self.calls, "headcount")
        self.cpu_watch = Watcher(self.calls, "CPU watch")
        self.reports = Reports(self.calls)
        self.log = JobLog("job", BLOCK, Mask([SECRET]))
        self.desk = desk or SessionDesk()
        self.sessions = JobSessions(self.desk, self.child.pid, lambda data: None)
        watchers = Watchers(self.sampler, self.headcount, self.cpu_watch)  # type: ignore[arg-type]  # what is used of it
        parts: Any = (self.sweeper, watchers, limits, self.log, self.reports, self.desk)
        self.execution = Execution(self.child, *parts)  # type: ignore[arg-type]  # what is used of it
        self.before_begin: Callable[[], None] = lambda: None
        self.deadline = 0.0
        self.payload = b""
        self.result_cap_bytes = 1000

    async def begin(self) -> Self:
        """Have the child begin, and read what it is to run."""
        await self.child.connect()
        self.execution.prepare()
        self.before_begin()
        self.running = asyncio.ensure_future(
            self.execution.run([b'{"parameters": {}}'], self.result_cap_bytes)
        )
        # A copy of the descriptor: the child's own end stays for sending.
        self._copy = self.child.far.dup()
        self._from_worker, self._reading = await asyncio.open_connection(sock=self._copy)
        frame = await self.next_frame()
        begin = to_child(frame)
        assert isinstance(begin, Begin)
        self.deadline, self.payload = begin.deadline, frame.payload
        return self

    async def next_frame(self) -> Frame:
        frame = await asyncio.wait_for(read_frame(self._from_worker, 2**20), PATIENCE_SECONDS)
        assert frame is not None
        return frame

    async def cancelled(self) -> str:
        """Wait until the child is asked to stop, and return the reason."""
        message = to_child(await self.next_frame())
        assert isinstance(message, Cancel)
        return message.reason

    async def say(self, *headers: Header, payload: bytes = b"{}") -> None:
        """Have the child send these; an outcome with the payload."""
        for header in headers:
            await self.child.send(header.pack(payload if isinstance(header, Outcome) else b""))

    def stop_reading(self) -> None:
        """Have the child read nothing more."""
        self._reading.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's has it

    def hang_up(self) -> None:
        """Close the child's end of the channel for good."""
        self._reading.transport.abort()
        self._copy.close()
        self.child.far.close()

    def printed(self, text: str, *, stream: str = "stderr") -> None:
        descriptor = self.child.far_stderr if stream == "stderr" else self.child.far_stdout
        os.set_blocking(descriptor, False)
        os.write(descriptor, text.encode())

    def sample(self, memory_mb: float) -> None:
        self.sampler.tell(Sample(memory_mb, 0.0, 1, 0))

    async def finish(self, *headers: Header, status: ExitStatus | None = None) -> Finished:
        """Have the child send these and end (where `status` is given), and return what the execution does."""
        await self.say(*headers)
        if status is not None:
            self.child.end(status)
        finished = await asyncio.wait_for(asyncio.shield(self.running), PATIENCE_SECONDS)
        await self.close()
        return finished

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        self._reading.transport.abort()
        FakeChild.close(self.child)  # by the test, and so not written down


async def begin(limits: Limits | None = None, **changes: Any) -> Scene:
    """Begin an execution; `changes` are attributes of the child."""
    scene = Scene(Limits(max_seconds=30.0, grace_seconds=1.0) if limits is None else limits)
    for name, value in changes.items():
        setattr(scene.child, name, value)
    return await scene.begin()
