"""The worker's status for systemd (`systemctl status`), put together in one place from what is known now."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from supervisor.log.event import tell
from supervisor.log.events.processes import PollingPaused, PollingResumed
from supervisor.log.events.worker import WorkerReady
from supervisor.worker.readiness import JOURNAL_PROBLEM, ReadinessFacts, why_not_ready

_log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
_LONGEST_CHARS: Final = 300


class Notifies(Protocol):
    """Passes assignments such as `READY=1` to systemd."""

    def send(self, *lines: str) -> None:
        """Pass them on."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts for the status."""

    blocks: int
    worker: str
    readiness: ReadinessFacts
    reload_problem: str | None = None
    """Why the last reload was refused."""
    journal_in_trouble: bool = False
    """Whether the disk does not take what must survive the worker. Jobs go on."""


def status_text(facts: Facts) -> str:
    """Return the worker's state in one line: first what somebody must do, then what it offers."""
    reasons = why_not_ready(facts.readiness)
    state = reasons[0].message if reasons else "ready"
    warning = f" Warning: {JOURNAL_PROBLEM}." if facts.journal_in_trouble else ""
    offered = f"{facts.blocks} block(s), {facts.readiness.slots} slot(s), worker {facts.worker}."
    refused = ""
    if facts.reload_problem is not None:
        refused = f" The last reload was refused: {_one_line(facts.reload_problem)}"
    return f"{_one_line(state)}{warning} {offered}{refused}"


def _one_line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text).rstrip(" .")
    return printable[:_LONGEST_CHARS] + (" …" if len(printable) > _LONGEST_CHARS else ".")


class Status:
    """Informs systemd. READY comes once a job can run: when the first child has become ready.

    `facts` returns all facts except the last reload, which this object gets directly. `stopping` is set when the
    worker stops: from then on another part sends the status. `pause` is awaited between two looks.
    """

    def __init__(
        self,
        notifier: Notifies,
        facts: Callable[[], Facts],
        stopping: asyncio.Event,
        pause: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(_LOOK_SECONDS),
    ) -> None:
        self._notifier = notifier
        self._known_facts = facts
        self._stopping = stopping
        self._pause = pause
        self._begun = False
        self._is_ready = False
        self._paused = False
        self._reload_problem: str | None = None
        self._said = ""

    def _facts(self) -> Facts:
        facts = self._known_facts()
        return facts if self._reload_problem is None else replace(facts, reload_problem=self._reload_problem)

    def begin(self) -> None:
        """From now on the worker polls for jobs as soon as one can run."""
        self._begun = True
        self.look()

    async def keep(self) -> None:
        """Send what changes, until cancelled."""
        while True:
            await self._pause()
            self.look()

    def look(self) -> None:
        """Send what has changed. Call it when jobs can be started again, or no longer."""
        if self._stopping.is_set():
            return
        facts = self._facts()
        readiness = facts.readiness
        self._tell_pauses(readiness.child_problem)
        if self._begun and readiness.child_problem is None and not self._is_ready:
            self._is_ready = True
            tell(_log, WorkerReady(blocks=facts.blocks, slots=readiness.slots, worker=facts.worker))
            self._send("READY=1", text=status_text(facts))
        elif (text := status_text(facts)) != self._said:
            self._send(text=text)

    def _tell_pauses(self, problem: str | None) -> None:
        if bool(problem) == self._paused:
            return
        self._paused = bool(problem)
        tell(_log, PollingPaused(reason=problem) if problem else PollingResumed())

    def _send(self, *lines: str, text: str) -> None:
        self._said = text
        self._notifier.send(*lines, f"STATUS={text}")

    def reload_begins(self) -> None:
        """Send that a reload has begun: sd_notify(3), systemd waits for the READY=1 that follows."""
        if self._is_ready:
            self._notifier.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reload_ends(self, problem: str | None) -> None:
        """Send that it is over; with `problem`, why it was refused. It makes no worker ready that was not ready."""
        self._reload_problem = problem
        if self._is_ready and not self._stopping.is_set():
            self._send("READY=1", text=status_text(self._facts()))
        else:
            self.look()
