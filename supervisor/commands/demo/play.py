"""The course of the demo: set everything up, submit the jobs, wait for their results, stop the worker, count."""

import asyncio
import json
import secrets
import tempfile
import time
from pathlib import Path
from typing import Final

from supervisor.commands.demo.census import Census, Found
from supervisor.commands.demo.engine_view import EngineView, JobSeen
from supervisor.commands.demo.errors import DemoError
from supervisor.commands.demo.expectation import DemoJob
from supervisor.commands.demo.lateness import Period, held_up_beats, lateness_within, of_the_machine
from supervisor.commands.demo.progress import Progress
from supervisor.commands.demo.report import Report, Row, judge, skip
from supervisor.commands.demo.scenario import DESCENDANTS, jobs
from supervisor.commands.demo.stage import (
    NO_DEVICE,
    STOP_SECONDS,
    Stage,
    can_emulate_devices,
)
from supervisor.commands.demo.worker_log import WorkerLog
from supervisor.commands.local.worker_lines import for_people
from supervisor.commands.shared.program import Program
from supervisor.settings.token_file import read_token

HEARTBEAT_SECONDS: Final = 0.2
JOBS_SECONDS: Final = 25.0
"""How long all jobs together may take. They need about seven seconds on two cores."""

LONGEST_SECONDS: Final = 55.0
_LOOK_SECONDS: Final = 0.15
_CLEAR_LOOK_SECONDS: Final = 0.02
_CLEAR_SECONDS: Final = 5.0
"""How long the worker's leftovers may take to disappear after its end (design, invariant I4).

They were killed before. But what was killed needs a processor for its end, and a host may take one away for a second.
"""


class Demo:
    """One run. `perform` is called once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._log = WorkerLog()
        self._mark = f"neops-demo-{secrets.token_hex(8)}"
        self._census = Census(self._mark)

    async def perform(self) -> Report:
        """Run the demo to its end. Raises `DemoError` and `ProgramError`; ends every program, also if cancelled."""
        with tempfile.TemporaryDirectory(prefix="neops-demo-", ignore_cleanup_errors=True) as directory:
            stage = Stage(Path(directory), self._census, self._mark, self._hear)
            try:
                async with asyncio.timeout(LONGEST_SECONDS), stage:
                    return await self._perform_on(stage)
            except TimeoutError:
                text = f"The demo was not over after {LONGEST_SECONDS:g} s and was ended. Is this machine overloaded?"
                raise DemoError(text) from None

    def _hear(self, program: str, line: str) -> None:
        if program == "worker":
            self._log.hear(line)
            line = for_people(line)
        self._progress.line(program, line)

    async def _perform_on(self, stage: Stage) -> Report:
        self._progress.step("Starting the engine, the emulated device and the worker")
        url = await stage.start_engine()
        view = EngineView(url, read_token(stage.token_file, url))
        device = await stage.start_device() if can_emulate_devices() else None
        planned = jobs(self._mark, device.port if device else None)
        wanted = [job for job in planned if device or not job.on_device]
        began = time.monotonic()
        worker = await stage.start_worker(view.url, HEARTBEAT_SECONDS)
        timer = await stage.start_timer(HEARTBEAT_SECONDS)
        jobs_began = time.monotonic()
        ids = dict(zip([job.name for job in wanted], await view.submit(wanted, device), strict=True))
        seen = await self._follow(view, ids, worker)
        period = Period(jobs_began, time.monotonic())
        measured = await _measured(timer)
        self._progress.step("Stopping the worker")
        exit_code = await worker.stop(STOP_SECONDS)
        if exit_code != 0:
            self._progress.note(f"What the worker printed last:{worker.last_words()}")
        left = await self._wait_until_clear()
        return Report(
            rows=tuple(self._row(job, ids, seen) for job in planned),
            interval_seconds=HEARTBEAT_SECONDS,
            heartbeat=lateness_within(await view.beats(), HEARTBEAT_SECONDS, period),
            beats_due=period.beats(HEARTBEAT_SECONDS),
            machine=of_the_machine(measured),
            held_up_beats=held_up_beats(measured, HEARTBEAT_SECONDS),
            processes_seen=self._census.seen,
            descendants_seen=tuple(kind for kind in DESCENDANTS if kind in self._census.marked_last_words),
            left=tuple(left),
            worker_exit_code=exit_code,
            elapsed_seconds=time.monotonic() - began,
        )

    async def _follow(self, view: EngineView, ids: dict[str, str], worker: Program) -> dict[str, JobSeen]:
        """Wait until the engine has every result, the time is up, or the worker has ended."""
        seen: dict[str, JobSeen] = {}
        end = time.monotonic() + JOBS_SECONDS
        while len(seen) < len(ids) and time.monotonic() < end and worker.is_running:
            await asyncio.to_thread(self._census.look)
            for name in [name for name in ids if name not in seen]:
                if found := await view.job(ids[name]):
                    seen[name] = found
            waiting = [name for name in ids if name not in seen]
            self._progress.step(_ended(len(seen), len(ids), waiting))
            await asyncio.sleep(_LOOK_SECONDS)
        return seen

    async def _wait_until_clear(self) -> list[Found]:
        end = time.monotonic() + _CLEAR_SECONDS
        # These may be anyone's children, so nothing reports their ends: it must look for them.
        while (left := await asyncio.to_thread(self._census.left)) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(_CLEAR_LOOK_SECONDS)
        return left

    def _row(self, job: DemoJob, ids: dict[str, str], seen: dict[str, JobSeen]) -> Row:
        if job.name not in ids:
            return skip(job, NO_DEVICE)
        return judge(job, seen.get(job.name), self._log.causes.get(ids[job.name]))


def _ended(number: int, of_all: int, waiting: list[str]) -> str:
    text = f"{number} of {of_all} jobs have ended"
    return f"{text}; not yet: {', '.join(waiting)}" if waiting else text


async def _measured(timer: Program) -> list[list[float]]:
    """Return by how many seconds each timer of each processor was late."""
    await timer.stop(STOP_SECONDS)
    try:
        measured: list[list[float]] = json.loads(timer.last_line)
    except ValueError:
        raise DemoError(f"The timer did not say what it measured.{timer.last_words()}") from None
    return measured
