"""Pausing and draining: an operator decides whether the worker polls for jobs. Heartbeat, jobs and deliveries go on."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from supervisor.lifecycle import intake
from supervisor.lifecycle.intake import IntakeMode, IntakeState, Left
from supervisor.lifecycle.kept_intake import NOTHING, state_of, text_of
from supervisor.log.event import tell
from supervisor.log.events.intake import DrainStarted, IntakeKept, WorkerDrained, WorkerPaused, WorkerResumed
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.2
"""How often it looks at a drain, or at a pause with an end."""


class Intake:
    """The shell around `supervisor.lifecycle.intake`. It costs nothing while it is open.

    `left` returns what a drain waits for. `on_change` is called at each change of the mode, `end_worker` when a drain
    that should end the worker is done. `keep` writes down what the start after a kill must `restore`, `is_kept` says
    whether that is on the disk. When `is_stopping` says that somebody stops the worker, that is forgotten
    (`supervisor.worker.kept_intake`): nothing is written down any more, and no pause or drain ends. `clock` is the
    loop's, which is monotonic; it and `wall_clock` are replaced in tests.
    """

    def __init__(
        self,
        left: Callable[[], Left],
        on_change: Callable[[], None],
        end_worker: Callable[[], None],
        clock: Callable[[], float] | None = None,
        *,
        keep: Callable[[str], Coroutine[Any, Any, None]] | None = None,
        is_kept: Callable[[], bool] = lambda: True,
        wall_clock: Callable[[], float] = time.time,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.state = IntakeState()
        self._left = left
        self._on_change = on_change
        self._end_worker = end_worker
        self._clock = clock or asyncio.get_running_loop().time
        self._wall_clock = wall_clock
        self._keep = keep
        self._is_kept = is_kept
        self._is_stopping = is_stopping
        self._is_decided = False
        self._changed = asyncio.Event()
        self._tasks = Tasks()
        self._records = Tasks()

    @property
    def is_open(self) -> bool:
        """Whether the worker polls for jobs."""
        return self.state.is_open

    @property
    def left(self) -> Left:
        """What must still be done before the worker is drained."""
        return self._left()

    @property
    def why_closed(self) -> str | None:
        """Why the worker does not poll, in one sentence; `None` if it does."""
        return intake.why_closed(self.state, self._clock(), self._left()) if not self.is_open else None

    @property
    def seconds_left(self) -> float | None:
        """In how many seconds a pause ends by itself."""
        return self.state.seconds_left(self._clock())

    @property
    def seconds_in_mode(self) -> float:
        """How many seconds ago the mode last changed."""
        return max(0.0, self._clock() - self.state.since)

    def pause(self, by: str, note: str = "", for_seconds: float | None = None) -> bool:
        """Stop polling, for `for_seconds` or until `resume`. Returns whether it is paused; a drain stays."""
        if self.state.is_drain:
            return False
        self._become(intake.paused(self.state, self._clock(), by, note, for_seconds))
        seconds = self.seconds_left
        how_long = "until `supervisor resume` or a restart" if seconds is None else f"for {seconds:.0f} s"
        tell(_log, WorkerPaused(by=by, how_long=how_long, note=self.state.note, for_seconds=seconds))
        return True

    def drain(self, by: str, note: str = "", *, ends_worker: bool = False) -> None:
        """Stop polling, and notice when the last job is done and delivered."""
        if not self.state.is_drain:
            self._become(intake.draining(self.state, self._clock(), by, note, ends_worker=ends_worker))
            left = self._left()
            tell(
                _log,
                DrainStarted(
                    by=by,
                    left=f"Left: {left}." if left else "Nothing is left to finish.",
                    note=self.state.note,
                    jobs=left.jobs,
                ),
            )
            self._look()
        elif ends_worker and not self.state.ends_worker:
            self._become(intake.draining(self.state, self._clock(), by, note, ends_worker=True))
            if self.state.mode is IntakeMode.DRAINED:
                self._end_worker()

    def resume(self, by: str) -> bool:
        """Poll again. Returns whether the worker had stopped before."""
        self._is_decided = True
        if self.is_open:
            return False
        self._become(IntakeState(since=self._clock()))
        tell(_log, WorkerResumed(reason=f"{by} resumes the worker.", by=by))
        return True

    def restore(self, text: str) -> None:
        """Continue a pause or a drain that an earlier run has written down, and that nobody has ended."""
        if text == NOTHING:
            return
        state = state_of(text, self._clock(), self._wall_clock())
        if state is None:
            self._record()
            return
        self._set(state)
        if self.seconds_left != 0:
            tell(_log, IntakeKept(reason=str(self.why_closed), by=state.by, mode=state.mode.value))
        self._look()

    def restore_late(self, text: str) -> None:
        """Same as `restore` if the journal could not be read at the start, unless somebody has decided since."""
        if self._is_decided:
            self._record()
        else:
            self.restore(text)

    async def recorded(self) -> None:
        """Wait until the mode is written down, or the disk is known to refuse it: then `is_on_disk` is false."""
        await self._records.wait()

    @property
    def is_on_disk(self) -> bool:
        """Whether a start after a kill will find the current mode, once that is `recorded`. A stop forgets it."""
        return self._is_stopping() or self._is_kept()

    async def wait_while_draining(self) -> IntakeState:
        """Wait until the worker is drained, or somebody resumes it. Returns the state."""
        while self.state.mode is IntakeMode.DRAINING:
            await self._changed.wait()
        return self.state

    async def close(self) -> None:
        """Stop looking. This ends no waits: the owners of the waiting tasks must end them."""
        await self._tasks.close()
        await self._records.close()

    def _become(self, state: IntakeState) -> None:
        self._is_decided = True
        self._set(state)
        self._record()

    def _record(self) -> None:
        if self._keep is not None and not self._is_stopping():
            text = text_of(self.state, self._clock(), self._wall_clock())
            self._records.start(self._keep(text), "record of a pause or a drain")

    def _set(self, state: IntakeState) -> None:
        self.state = state
        self._changed.set()
        self._changed = asyncio.Event()
        if not len(self._tasks) and not self._is_settled():
            self._tasks.start(self._look_until_settled(), "watch over a pause or a drain")
        self._on_change()

    def _is_settled(self) -> bool:
        waits_for_nothing = self.state.until is None and self.state.mode is not IntakeMode.DRAINING
        return waits_for_nothing or self._is_stopping()

    async def _look_until_settled(self) -> None:
        while not self._is_settled():
            await asyncio.sleep(_LOOK_SECONDS)
            self._look()

    def _look(self) -> None:
        if self._is_stopping():
            return
        before = self.state
        state = intake.looked(before, self._clock(), self._left())
        if state is before:
            return
        self._become(state)
        if state.is_open:
            tell(_log, WorkerResumed(reason="The pause is over.", by=None))
            return
        then = (
            "It ends." if state.ends_worker else "It idles until `supervisor resume`, or until it is stopped."
        )
        tell(_log, WorkerDrained(then=then))
        if state.ends_worker:
            self._end_worker()
