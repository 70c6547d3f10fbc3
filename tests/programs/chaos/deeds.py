"""What chance can do to a worker, one deed at a time."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

from tests.faults.programs import Engine, Worker
from tests.faults.sandbox import SmallDisk
from tests.programs.chaos.history import Deed

PAUSE_SECONDS: Final = 0.16


class Deeds:
    """Asks a seeded generator and does what it says, until told to stop. What was done is in `done`."""

    def __init__(self, seed: int, worker: Worker, engine: Engine, disk: SmallDisk | None) -> None:
        self.done: list[Deed] = []
        self._random = Random(f"deeds {seed}")
        self._worker = worker
        self._engine = engine
        self._disk = disk
        self._lasting: dict[str, asyncio.Task[None]] = {}

    async def roll(self) -> None:
        """Roll once. A deed that lasts goes on in the background; one of each kind at a time."""
        deeds: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "nothing": (54, _nothing),
            "kill child": (18, self._kill_child),
            "kill template": (5, self._kill_template),
            "kill supervisor": (4, self._kill_supervisor),
            "kill keeper": (2, self._kill_keeper),
            "stop supervisor": (5, self._stop_supervisor),
            "kill engine": (6, self._kill_engine),
            "disk full": (7, self._fill_disk),
        }
        weights = [weight for weight, _ in deeds.values()]
        chosen = self._random.choices(list(deeds), weights=weights)[0]
        await deeds[chosen][1]()

    async def finish(self) -> None:
        """Undo what lasts, now."""
        for task in self._lasting.values():
            task.cancel()
        await asyncio.gather(*self._lasting.values(), return_exceptions=True)

    def _note(self, what: str, pid: int = 0, since: float | None = None) -> None:
        now = time.monotonic()
        self.done.append(Deed(what, now if since is None else since, now, pid))

    def _kill(self, what: str, pid: int | None) -> None:
        if pid:
            since = time.monotonic()  # before it: what follows from the deed may be known before this goes on
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self._note(what, pid, since)

    async def _kill_child(self) -> None:
        below = self._worker.below_supervisor
        jobs = [pid for pid, name in below.items() if name == "neops-job"]
        spares = [pid for pid, name in below.items() if name == "neops-spare"]
        # A job rather than a spare, where there is one.
        if chosen := (jobs or spares):
            self._kill("kill child", self._random.choice(chosen))

    async def _kill_template(self) -> None:
        below = self._worker.below_supervisor
        self._kill(
            "kill template", next((pid for pid, name in below.items() if name == "neops-template"), None)
        )

    async def _kill_supervisor(self) -> None:
        self._kill("kill supervisor", self._worker.supervisor_pid)

    async def _kill_keeper(self) -> None:
        # Not while it is stopped: nobody can clean up after both (docs/adr/0003).
        if "stop" not in self._lasting and self._worker.supervisor_pid:
            self._kill("kill keeper", self._worker.pid)

    async def _stop_supervisor(self) -> None:
        if pid := self._worker.supervisor_pid:
            self._last("stop", self._stopped(pid, self._random.uniform(1, 3)))

    async def _kill_engine(self) -> None:
        self._last("engine", self._engine_away(self._random.uniform(0.1, 0.8)))

    async def _fill_disk(self) -> None:
        if self._disk is not None:
            self._last("disk", self._disk_full(self._disk, self._random.uniform(0.5, 1.5)))

    def _last(self, name: str, deed: Awaitable[None]) -> None:
        if name in self._lasting:
            asyncio.ensure_future(deed).cancel()
            return
        task = asyncio.ensure_future(deed)
        self._lasting[name] = task
        task.add_done_callback(lambda _: self._lasting.pop(name, None))

    async def _stopped(self, pid: int, seconds: float) -> None:
        since = time.monotonic()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                # Noted as it ends: it must be known before a first ping that comes after it.
                self._note("stop supervisor", pid, since)
                os.kill(pid, signal.SIGCONT)

    async def _engine_away(self, seconds: float) -> None:
        since = time.monotonic()
        try:
            await self._engine.kill()
            self._note("kill engine", self._engine.pid, since)
            await asyncio.sleep(seconds)
        finally:
            await self._engine.kill()
            await self._engine.open()

    async def _disk_full(self, disk: SmallDisk, seconds: float) -> None:
        since = time.monotonic()
        try:
            disk.fill()
            await asyncio.sleep(seconds)
        finally:
            disk.free()
            self._note("disk full", 0, since)


async def _nothing() -> None:
    return
