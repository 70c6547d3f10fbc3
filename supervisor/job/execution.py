"""One job in one child: carries out what the job's state machine (`supervisor.lifecycle.job`) decides."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from jobrunner.protocol.frames import FrameError
from jobrunner.protocol.messages import Begin, Cancel, HostKey
from supervisor.errors import LaunchError
from supervisor.job.channel import ChannelReader
from supervisor.job.clearing import clear_if_empty, clear_tree
from supervisor.job.device_sessions import JobSessions, SessionDesk
from supervisor.job.events_in_turn import EventsInTurn
from supervisor.job.evidence import ending_of, foreseen_end
from supervisor.job.loop_check import LoopCheck
from supervisor.job.result import Finished, Parts, checked_in_steps
from supervisor.job.timers import JobTimers
from supervisor.job.view import JobView, since_order, view_of
from supervisor.job.watchers import Watchers
from supervisor.launcher.child import Child
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.sweep import Sweeper
from supervisor.lifecycle.events import (
    Begun,
    CancelDemanded,
    CheckChannel,
    ChildExited,
    ClearTree,
    Conclude,
    FreezeTree,
    JobCommand,
    JobEvent,
    KillChild,
    OutcomeArrived,
    SendCancel,
    SetTimer,
    StackTaken,
    StopDemanded,
    TakeStack,
    TellResumed,
    TellStalled,
    Ticked,
    Timer,
    TimerFired,
)
from supervisor.lifecycle.job import step
from supervisor.lifecycle.state import JobState, Phase
from supervisor.process.output import OutputReader
from supervisor.process.shortage import explain
from supervisor.process.tasks import Tasks
from supervisor.verdict import ExitStatus, KernelView, Limits, decide
from supervisor.watch.freeze import freeze, kill_what_it_started
from supervisor.watch.joblog import JobLog
from supervisor.watch.kernel import is_runnable, look_into_kernel
from supervisor.watch.stack import read_stack, take_stack
from supervisor.watch.stack_on_demand import BEING_ENDED, StackOnDemand, StackSeen
from supervisor.watch.stall import LoopReports


class Execution:
    """Runs the job of a child that has its order. Create, `prepare`, `run` once; `stop` at any time in between."""

    def __init__(
        self,
        child: Child,
        sweeper: Sweeper,
        watchers: Watchers,
        limits: Limits,
        log: JobLog,
        reports: LoopReports,
        session_desk: SessionDesk,
        host_key_seen: Callable[[HostKey], None] = lambda _: None,
        on_outcome: Callable[[Finished], None] = lambda _: None,
    ) -> None:
        self._child = child
        self._sweeper = sweeper
        self.processes = JobProcesses(child.pid, child.groups, child.cgroup, child.user)
        """How the job's processes are recognised."""
        self._watchers = watchers
        self._on_outcome = on_outcome
        self._log = log
        self._reports = reports
        self._kernel: KernelView | None = None
        self._state = JobState(limits)
        self._events = EventsInTurn()
        self._put = self._events.put
        self._timers = JobTimers(self._on_timer)
        # A failure is a bug of ours. Its event will not come, so `run` must not wait for it.
        self._tasks = Tasks(lambda _, error: self._events.end(error))
        self._sessions = JobSessions(session_desk, child.pid, self._answer)
        self._channel = ChannelReader(
            child, log, reports, self._put, self._sessions, host_key_seen=host_key_seen
        )
        self._loop_check = LoopCheck(child, self._channel, self._put, self._tasks)
        self._conclusion: Conclude | None = None
        self._stack_on_demand: StackOnDemand | None = None
        self._outputs: tuple[OutputReader, OutputReader] | None = None
        self._at_the_end = contextlib.ExitStack()

    def prepare(self) -> None:
        """Watch the child, which may not begin yet: so this runs while the child waits for its begin.

        `run` or `give_up` must follow. Raises `LaunchError` if the child can't be watched.
        """
        child = self._child
        with contextlib.ExitStack() as at_the_end:
            at_the_end.callback(self._stop_watching)
            try:
                stdout = self._output_of("stdout", child.stdout)
                at_the_end.callback(stdout.finish)
                stderr = self._output_of("stderr", child.stderr)
                at_the_end.callback(stderr.finish)
                child.exited.add_done_callback(self._on_exit)
                self._watchers.watch(child, self._state.limits, self._put)
            except OSError as error:
                raise LaunchError(f"A child (pid {child.pid}) can't be watched: {explain(error)}") from error
            self._sweeper.enter(self.processes)
            self._at_the_end = at_the_end.pop_all()
        self._outputs = stdout, stderr

    def give_up(self) -> None:
        """Stop watching, unless `run` has done that: the job does not begin."""
        self._outputs = None
        self._at_the_end.close()

    async def run(self, payload: Sequence[bytes], result_cap_bytes: int) -> Finished:
        """Let the child begin, and return when no process of the job is left. A dead child has run nothing of it.

        `payload` is the job's, in parts. Don't cancel it: call `stop` and await the end, which is limited in time.
        """
        assert self._outputs is not None, "not prepared"
        (stdout, stderr), self._outputs = self._outputs, None
        with self._at_the_end:
            if not self._child.exited.done():
                self._begin(payload)
            self._tasks.start(self._channel.read(result_cap_bytes), "channel of a job")
            self._conclusion = await self._events.handle_all(self._handle)
            await stdout.drain()
            await stderr.drain()
        finished = await self._finish(self._conclusion, stdout, stderr)
        # These refer to this object. Otherwise the garbage collector had to free the job's text and mask, on the loop.
        del self._channel, self._loop_check, self._sessions, self._tasks, self._timers
        return finished

    def _begin(self, payload: Sequence[bytes]) -> None:
        now = asyncio.get_running_loop().time
        self._put(Begun(now()))
        self._reports.begin()
        for piece in Begin(deadline=now() + self._state.limits.max_seconds).pack_parts(payload):
            self._child.channel.send(piece)

    async def stack(self) -> StackSeen:
        """Return where the job is, for a person, without ending it. May be called, and cancelled, at any time."""
        if self._state.phase is not Phase.RUNNING:
            return StackSeen(self._child.pid, why_not=BEING_ENDED)
        if self._stack_on_demand is None:
            self._stack_on_demand = StackOnDemand(self._child, self._log.fair_mask)
        return await self._stack_on_demand.take()

    def _stop_watching(self) -> None:
        self._reports.stop()
        if self._stack_on_demand is not None:
            self._stack_on_demand.stop()
        self._watchers.forget(self._child)
        self._timers.cancel()
        self._tasks.cancel()
        self._log.close()
        self._sessions.leave()
        if self._conclusion is None or not self._conclusion.stuck:
            self._sweeper.leave(self.processes)

    def view(self) -> JobView:
        """Return what is known of the job now, for people who look at it."""
        sample = since_order(self._watchers.sampler.last(self._child.pid), self._child.when_ready.cpu_seconds)
        return view_of(self._child.pid, self._state, sample, self._log.last_line, time.monotonic())

    def stop(self) -> None:
        """End the job now: the worker can't wait for it."""
        self._put(StopDemanded(time.monotonic()))

    def cancel(self) -> None:
        """End the job for an operator, with its grace. A job that is ending already ends as it does."""
        self._put(CancelDemanded(time.monotonic()))

    async def _finish(self, conclusion: Conclude, stdout: OutputReader, stderr: OutputReader) -> Finished:
        parts = await self._checked_parts()
        ending = await ending_of(
            self._state,
            conclusion.at,
            self._log.fair_mask,
            message=self._channel.message,
            warning=self._channel.warning,
            dump=read_stack(self._child),
            last_output=await self._log.end_of(stderr.tail() or stdout.tail()),
            unread_output=stderr.is_unread or stdout.is_unread,
            kernel=self._kernel,
            changes=self._channel.changes.values(),
        )
        return Finished(decide(ending), ending, *parts, conclusion.stuck, self._log.fair_mask)

    async def _checked_parts(self) -> Parts:
        """Return what the block returned. An invalid outcome counts as one that was never sent."""
        parts = self._channel.parts or (b"", b"")
        if self._channel.parts is None or self._channel.is_checked:
            return parts
        try:
            return await self._log.long_work.in_steps(checked_in_steps(parts))
        except FrameError as error:
            self._state = replace(self._state, outcome=None, channel_problem=str(error))
            return b"", b""

    def _output_of(self, stream: str, descriptor: int) -> OutputReader:
        log, channel = self._log, self._channel
        return OutputReader(
            descriptor,
            lambda line: log.printed(stream, line),
            log,
            log.mask_cut,
            must_wait=lambda: channel.is_behind,
        )

    def _handle(self, event: JobEvent) -> None:
        self._state, commands = step(self._state, event)
        if isinstance(event, Ticked):
            self._loop_check.ticked()
        if self._stack_on_demand is not None and self._state.phase is not Phase.RUNNING:
            self._stack_on_demand.stop()  # before the first command: later dumps belong to the end
        for command in commands:
            self._carry_out(command)
        is_outcome = isinstance(event, OutcomeArrived)
        if is_outcome and (end := foreseen_end(self._state, self._channel, self._log.mask)):
            self._on_outcome(end)

    def _carry_out(self, command: JobCommand) -> None:
        match command:
            case SetTimer(timer, at):
                self._timers.set(timer, at)
            case SendCancel(reason):
                self._child.channel.send(Cancel(reason=reason).pack())
            case TakeStack():
                self._reports.stop()
                self._tasks.start(self._take_stack(), "stack of a job")
            case CheckChannel():
                self._loop_check.look(sleeps=self._state.stall is not None and self._state.stall.sleeps)
            case TellStalled(seconds):
                self._reports.stalled(seconds)
            case TellResumed(seconds):
                self._reports.resumed(seconds)
            case FreezeTree():
                self._reports.stop()
                self._tasks.start(self._freeze_tree(), "freezing of a job")
            case KillChild():
                if not self._state.stack:
                    self._ask_kernel()
                self._child.kill()
            case ClearTree():
                self._sessions.child_exited()
                if cleared := clear_if_empty(self._child, self._sweeper, self.processes):
                    self._put(cleared)
                else:
                    self._tasks.start(self._clear_tree(), "sweep of a job")
            case Conclude():
                if self._state.unkillable:
                    self._ask_kernel()
                self._events.end(command)

    def _on_exit(self, exited: "asyncio.Future[ExitStatus]") -> None:
        self._put(ChildExited(time.monotonic(), exited.result()))

    def _on_timer(self, at: float, timer: Timer) -> None:
        waits = timer is Timer.UNKILLABLE and is_runnable(self._child.pid)
        self._put(TimerFired(at, timer, waits_for_processor=waits))

    def _ask_kernel(self) -> None:
        view = look_into_kernel(self._child.pid, self._log.mask)
        if view.state not in ("", "Z"):  # otherwise it is dead, and its status shows how it ended
            self._kernel = view

    def _answer(self, frame: bytes) -> None:
        self._child.channel.answer(frame)

    async def _take_stack(self) -> None:
        self._put(StackTaken(time.monotonic(), await take_stack(self._child)))

    async def _freeze_tree(self) -> None:
        await freeze(self._child)
        taking = self._tasks.start(take_stack(self._child), "stack of a job")
        await asyncio.sleep(0)
        # Asked for while it is stopped: then the stack is the first thing that it does, before it forks again.
        self._child.resume()
        # After the stack: if none comes, the child is killed at once.
        stack = await taking
        await kill_what_it_started(self._child)
        self._put(StackTaken(time.monotonic(), stack))

    async def _clear_tree(self) -> None:
        self._put(await clear_tree(self._child, self._sweeper, self.processes))
