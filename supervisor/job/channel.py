"""Reads what a child sends over its channel, frame by frame, without holding up the rest of the worker."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from jobrunner.protocol.caps import HEADER_CAP_BYTES
from jobrunner.protocol.frames import FrameError, read_frame
from jobrunner.protocol.masking import NO_TEXT, not_shown
from jobrunner.protocol.messages import (
    Blocking,
    DeviceChange,
    HostKey,
    Log,
    NotIsolated,
    Outcome,
    Ready,
    ReportFromChild,
    Secret,
    SessionClosed,
    SessionWanted,
    Tick,
    from_child,
)
from supervisor.job.device_sessions import JobSessions
from supervisor.job.result import AT_ONCE_BYTES, Parts, checked, parts_of
from supervisor.launcher.child import Child
from supervisor.lifecycle.events import ChannelEnded, JobEvent, NotKeptApart, OutcomeArrived, Ticked
from supervisor.log.event import tell
from supervisor.log.events.jobs import ChannelBroken
from supervisor.verdict import OutcomeSeen
from supervisor.watch.joblog import JobLog
from supervisor.watch.stall import LoopReports

_log = logging.getLogger(__name__)

TURN_SECONDS: Final = 0.005
"""How long it may read frames until the loop does other work. Half a megabyte of small frames, which may be in the
stream at once, takes a hundred milliseconds, and each slot may have a child that floods its channel."""


_WAITED_SECONDS: Final = 0.001
"""If a frame comes so much later than the request for it, it was not in the stream: that takes some microseconds."""


class ChannelReader:
    """Reads the frames of one child to their end, and turns them into events and lines of the log.

    `put` gets the events, `sessions` what the job reports about sessions on devices, `host_key_seen` its reports of
    host keys; `clock` is in seconds.
    """

    def __init__(
        self,
        child: Child,
        log: JobLog,
        reports: LoopReports,
        put: Callable[[JobEvent], None],
        sessions: JobSessions,
        clock: Callable[[], float] = time.monotonic,
        host_key_seen: Callable[[HostKey], None] = lambda _: None,
    ) -> None:
        self.parts: Parts | None = None
        """The body and the acquires of the first outcome; `None` before it has come."""
        self.is_checked = False
        """Whether they are checked: JSON of the right shape. A large outcome is not checked here, because that takes
        long: it is checked when the job is over."""
        self.message: str | None = None
        """The message of the first outcome, unmasked. It is masked when the job is over, because that may take long."""
        self.warning = ""
        """Same as `message`; mostly empty."""
        self.changes: dict[int, DeviceChange] = {}
        """The last report of each change of a device, without those of which nothing is in force."""
        self.is_behind = False
        """Whether frames may be in the stream that were not read yet, because other work has its turn."""
        self._child = child
        self._log = log
        self._reports = reports
        self._put = put
        self._sessions = sessions
        self._clock = clock
        self._host_key_seen = host_key_seen

    async def read(self, result_cap_bytes: int) -> None:
        """Read frames to the end. Invalid data is an event, never an exception. Cancelling it ends it at once."""
        problem: str | None = None
        turn_ends_at = 0.0
        channel = self._child.channel
        reader = channel.reader
        try:
            while True:
                asked_at = self._clock()
                frame = await read_frame(reader, result_cap_bytes + HEADER_CAP_BYTES)
                if frame is None:
                    break
                if self._clock() - asked_at > _WAITED_SECONDS:  # other work had its turn meanwhile
                    turn_ends_at = self._clock() + TURN_SECONDS
                message = from_child(frame)
                if isinstance(message, Outcome):
                    self._take_outcome(message, frame.payload)
                else:
                    await self._take(message)
                if self._clock() >= turn_ends_at:
                    await self._give_way()
                    turn_ends_at = self._clock() + TURN_SECONDS
        except FrameError as error:
            problem = str(error)
        if channel.broken is not None:  # all that arrived before was read
            tell(_log, ChannelBroken(pid=self._child.pid, reason=str(channel.broken)))
        self._put(ChannelEnded(time.monotonic(), problem))

    async def _give_way(self) -> None:
        self.is_behind = True
        await asyncio.sleep(0)
        self.is_behind = False

    async def _take(self, message: ReportFromChild) -> None:
        match message:
            case Log():
                self.is_behind = True  # the log may wait for its turn in a thread
                try:
                    # All later frames must be read before the worker stops reading a dead child's channel.
                    await self._log.record(message, at_once=self._child.exited.done())
                finally:
                    self.is_behind = False
            case Secret():
                self._log.mask.learn(message.value)
            case SessionWanted() | SessionClosed():
                self._sessions.take(message)
            case DeviceChange():
                self.changes.pop(message.number, None)
                if message.stage != "over":
                    self.changes[message.number] = message
            case HostKey():
                self._host_key_seen(message)
            case Tick(sleeps=sleeps):
                self._reports.ticked(sleeps=bool(sleeps))
                self._put(Ticked(time.monotonic(), bool(sleeps)))
            case Blocking():
                self._reports.blocked(message)
            case NotIsolated():
                self._put(NotKeptApart(time.monotonic()))
            case Ready():  # it came before the order was sent, and has no news
                pass

    def _take_outcome(self, outcome: Outcome, payload: bytes) -> None:
        if self.parts is not None:
            return  # the first one counts, and masking thousands of others would take the worker's time
        parts = parts_of(outcome, payload)
        self.is_checked = len(payload) <= AT_ONCE_BYTES
        self.parts = checked(parts) if self.is_checked else parts
        self.message, self.warning = outcome.message, outcome.warning
        seen = OutcomeSeen(
            outcome.success,
            not_shown(outcome.message),
            outcome.retryable,
            outcome.raised,
            not_shown(outcome.warning) if outcome.warning else NO_TEXT,
        )
        self._put(OutcomeArrived(time.monotonic(), seen))
