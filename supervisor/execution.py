"""One job in one child: carries out what the job's state machine (`supervisor.lifecycle.job`) decides."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from jobrunner.protocol.caps import HEADER_CAP_BYTES
from jobrunner.protocol.frames import FrameError, read_frame
from jobrunner.protocol.messages import Blocking, Cancel, Log, Order, Outcome, Secret, Tick, from_child
from supervisor.job_timers import JobTimers
from supervisor.launcher.child import Child
from supervisor.launcher.sweep import Sweeper, Swept
from supervisor.lifecycle.events import (
    ChannelEnded,
    ChildExited,
    ClearTree,
    Conclude,
    FreezeTree,
    JobCommand,
    JobEvent,
    KillChild,
    Look,
    Looked,
    MemoryMeasured,
    OrderSent,
    OutcomeArrived,
    ProcessesCounted,
    SendCancel,
    SetTimer,
    StackTaken,
    StopDemanded,
    TakeStack,
    TellResumed,
    TellStalled,
    Ticked,
    TimerFired,
    TreeCleared,
)
from supervisor.lifecycle.job import JobState, Limits, step
from supervisor.result import split_outcome
from supervisor.verdict import Ending, ExitStatus, KernelView, OutcomeSeen
from supervisor.watch.freeze import freeze
from supervisor.watch.headcount import Headcount
from supervisor.watch.joblog import JobLog
from supervisor.watch.kernel import look_into_kernel
from supervisor.watch.loop import LoopReports
from supervisor.watch.output import OutputReader
from supervisor.watch.sampler import Sample, Sampler
from supervisor.watch.stack import read_stack, take_stack

_log = logging.getLogger(__name__)

_LAST_OUTPUT_CHARS: Final = 4096


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is over: the evidence, and the JSON that the block returned (``b""`` where there is none).

    ``stuck`` is true when the child could not be killed: its slot must not be used again.
    """

    ending: Ending
    result_body: bytes = b""
    acquires: bytes = b""
    stuck: bool = False


class Execution:
    """Runs one order in one ready child. Create, `run` once; `stop` at any time in between."""

    def __init__(
        self,
        child: Child,
        sweeper: Sweeper,
        sampler: Sampler,
        headcount: Headcount,
        limits: Limits,
        log: JobLog,
        reports: LoopReports,
    ) -> None:
        self._child = child
        self._sweeper = sweeper
        self._sampler = sampler
        self._headcount = headcount
        self._log = log
        self._reports = reports
        self._kernel: KernelView | None = None
        self._state = JobState(limits)
        self._events: asyncio.Queue[JobEvent | BaseException] = asyncio.Queue()
        self._timers = JobTimers(lambda at, timer: self._put(TimerFired(at, timer)))
        self._tasks: set[asyncio.Task[None]] = set()
        self._parts: tuple[bytes, bytes] | None = None
        self._finished: Finished | None = None

    async def run(self, build_order: Callable[[float], Order], payload: bytes) -> Finished:
        """Run the order and return when no process of the job is left.

        ``build_order`` gets the deadline. Not to be cancelled: call `stop` and await the end, which is bounded.
        """
        loop = asyncio.get_running_loop()
        child = self._child
        stdout = self._output_of("stdout", child.stdout)
        stderr = self._output_of("stderr", child.stderr)
        child.exited.add_done_callback(self._on_exit)
        limits = self._state.limits
        self._sampler.watch(child.pid, limits.memory_mb, self._on_sample, limits.processes)
        self._headcount.watch(child.pid, limits.processes, self._on_count)
        try:
            self._put(OrderSent(loop.time()))
            order = build_order(loop.time() + self._state.limits.max_seconds)
            self._start(self._send(order.pack(payload)))
            self._start(self._read(order.result_cap_bytes))
            while self._finished is None:
                event = await self._events.get()
                if isinstance(event, BaseException):
                    raise event
                self._handle(event)
        finally:
            self._reports.stop()
            self._sampler.forget(child.pid)
            self._headcount.forget(child.pid)
            self._timers.cancel()
            for task in self._tasks:
                task.cancel()
            stdout.finish()
            stderr.finish()
            self._log.close()
        return self._with_last_words(self._finished, stdout, stderr)

    def stop(self) -> None:
        """End the job now: the worker can't wait for it."""
        self._put(StopDemanded(time.monotonic()))

    def _with_last_words(self, finished: Finished, stdout: OutputReader, stderr: OutputReader) -> Finished:
        ending = replace(
            finished.ending,
            stack=finished.ending.stack or read_stack(self._child),
            kernel=self._kernel,
            last_output=self._last_output(stderr.tail() or stdout.tail()),
        )
        return replace(finished, ending=ending)

    def _output_of(self, stream: str, descriptor: int) -> OutputReader:
        log = self._log
        return OutputReader(descriptor, lambda line: log.printed(stream, line), log, log.mask)

    def _last_output(self, text: str) -> str:
        # More than is shown: of a secret at the edge, half would not be recognized.
        cut_before = len(text) > 2 * _LAST_OUTPUT_CHARS
        text = text[-2 * _LAST_OUTPUT_CHARS :]
        masked = self._log.mask(text, cut_before=cut_before, cut_after=not text.endswith("\n"))
        return masked[-_LAST_OUTPUT_CHARS:]

    def _put(self, event: JobEvent) -> None:
        self._events.put_nowait(event)

    def _handle(self, event: JobEvent) -> None:
        self._state, commands = step(self._state, event)
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: JobCommand) -> None:
        match command:
            case SetTimer(timer, at):
                self._timers.set(timer, at)
            case SendCancel(reason):
                self._start(self._send(Cancel(reason=reason).pack()))
            case TakeStack():
                self._reports.stop()
                self._start(self._take_stack())
            case Look():
                self._start(self._look())
            case TellStalled(seconds):
                self._reports.stalled(seconds)
            case TellResumed(seconds):
                self._reports.resumed(seconds)
            case FreezeTree():
                self._reports.stop()
                self._start(self._freeze_tree())
            case KillChild():
                if not self._state.stack:
                    self._ask_kernel()
                self._child.kill()
            case ClearTree():
                self._start(self._clear_tree())
            case Conclude(ending, stuck):
                if ending.unkillable:
                    self._ask_kernel()
                body, acquires = self._parts or (b"", b"")
                self._finished = Finished(ending, body, acquires, stuck)

    def _on_exit(self, exited: "asyncio.Future[ExitStatus]") -> None:
        self._put(ChildExited(time.monotonic(), exited.result()))

    def _on_sample(self, sample: Sample) -> None:
        proof = self._child.cgroup.out_of_memory()
        at_limit = proof is not None and proof.limit_mb is not None
        self._put(MemoryMeasured(time.monotonic(), sample.memory_mb, at_limit))

    def _on_count(self, count: int) -> None:
        self._put(ProcessesCounted(time.monotonic(), count))

    def _ask_kernel(self) -> None:
        view = look_into_kernel(self._child.pid)
        if view.state not in ("", "Z"):  # else it is dead, and tells by its status how
            self._kernel = view

    async def _look(self) -> None:
        """See whether the child has sent what was not read yet."""
        unread = self._child.unread_bytes() > 0
        # What was not in the socket is in the stream: the reader, once woken, takes all of that in one turn.
        for _ in range(2):
            await asyncio.sleep(0)
        self._put(Looked(time.monotonic(), unread))

    async def _send(self, data: bytes) -> None:
        # A child that is gone says so by its pidfd.
        with contextlib.suppress(ConnectionError):
            self._child.writer.write(data)
            await self._child.writer.drain()

    async def _read(self, result_cap_bytes: int) -> None:
        """Read frames to the end. What is no frame is an event, never an exception."""
        problem: str | None = None
        try:
            while (
                frame := await read_frame(self._child.reader, result_cap_bytes + HEADER_CAP_BYTES)
            ) is not None:
                message = from_child(frame)
                if isinstance(message, Log):
                    self._log.record(message)
                elif isinstance(message, Secret):
                    self._log.mask.learn(message.value)
                elif isinstance(message, Tick):
                    self._reports.ticked()
                    self._put(Ticked(time.monotonic()))
                elif isinstance(message, Blocking):
                    self._reports.blocked(message)
                elif isinstance(message, Outcome):
                    self._take_outcome(message, frame.payload)
        except FrameError as error:
            problem = str(error)
        except OSError as error:
            _log.debug("The channel of pid %d broke: %s", self._child.pid, error)
        self._put(ChannelEnded(time.monotonic(), problem))

    def _take_outcome(self, outcome: Outcome, payload: bytes) -> None:
        if self._parts is None:
            self._parts = split_outcome(outcome, payload)
        message = self._log.mask(outcome.message)
        seen = OutcomeSeen(outcome.success, message, outcome.retryable, outcome.raised)
        self._put(OutcomeArrived(time.monotonic(), seen))

    async def _take_stack(self) -> None:
        self._put(StackTaken(time.monotonic(), await take_stack(self._child)))

    async def _freeze_tree(self) -> None:
        await freeze(self._child)
        self._start(self._take_stack())
        await asyncio.sleep(0)
        # Asked for while it is stopped: the stack is then the first thing that it does, before it forks again.
        self._child.resume()

    async def _clear_tree(self) -> None:
        try:
            swept = await self._sweeper.clear(self._child.pid, self._child.cgroup)
        except OSError:  # no descriptor left to look into /proc with; the next sweep finds what is left
            _log.exception("What the job of pid %d left behind could not be looked for.", self._child.pid)
            swept = Swept(0, 0)
        # Only now: the zombie kept the number of its process group from being given to a stranger.
        usage = self._child.reap()
        self._put(
            TreeCleared(
                time.monotonic(),
                swept.killed,
                swept.remaining,
                usage.peak_memory_mb,
                usage.cpu_seconds,
                self._child.cgroup.out_of_memory(),
            )
        )

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug of ours. The event that it was to bring will not come, so `run` must not wait for it.
            self._events.put_nowait(error)
