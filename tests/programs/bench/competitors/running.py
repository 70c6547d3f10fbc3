"""One worker with an engine of its own: jobs in, the engine's stamps out, and what the worker's processes have used."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from supervisor.commands.demo.environment import program_environment
from supervisor.commands.shared.program import Program, ProgramError
from tests.programs.bench.competitors.workers import Competitor
from tests.programs.bench.engine import Engine
from tests.programs.bench.stage import SET_UP_SECONDS, STOP_SECONDS, database_of, start_program

BLOCK: Final = "neops_bench_shared/act:1.0.0"
_LOOK_SECONDS: Final = 0.02


@dataclass(slots=True)
class Running:
    """A worker that polls. `pid` is the top of its processes."""

    competitor: Competitor
    engine: Engine
    directory: Path
    pid: int
    program: Program

    @property
    def is_running(self) -> bool:
        """Whether the worker itself has not ended."""
        return self.program.is_running

    async def submit(self, parameters: list[dict[str, Any]]) -> list[str]:
        """Submit jobs, all at once, and return their ids."""
        return await self.engine.submit(BLOCK, parameters)

    async def job(self, job_id: str, seconds: float) -> dict[str, Any] | None:
        """Return a job once it has a result; `None` when it has none after so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job: dict[str, Any] = await self.engine.ask("GET", f"/dev/jobs/{job_id}")
            if job["finishedAt"] is not None:
                return job
            await asyncio.sleep(_LOOK_SECONDS)
        return None


@asynccontextmanager
async def running(competitor: Competitor, directory: Path, slots: int) -> AsyncIterator[Running]:
    """Start an engine and the worker, and wait for its first poll. Both end, with all they have started, at the end.

    Raises `ProgramError`, with what the worker said last, when it does not come up.
    """
    directory.mkdir(parents=True)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        program = await start_program(
            stack, directory, "engine", "sdk.devengine", "--port", "0", "--test-controls",
            "--database", str(database_of(directory)), "--without-token",
            "--id-grammar", competitor.id_grammar,
        )  # fmt: skip
        url = (await program.wait_for_line(r"^devengine listening on (http://\S+)$", SET_UP_SECONDS))[1]
        engine = Engine(url, session)
        start = competitor.start(url, directory, slots)
        process = await asyncio.create_subprocess_exec(
            *start.command,
            env={**program_environment(os.environ, "bench"), "HOME": str(directory), **start.variables},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        worker = Program(competitor.key, process, lambda program, line: None)
        try:
            await _first_poll(engine, worker)
            yield Running(competitor, engine, directory, worker.pid, worker)
        finally:
            await _end(worker)


async def _first_poll(engine: Engine, worker: Program) -> None:
    end = time.monotonic() + SET_UP_SECONDS
    while not await engine.ask("GET", "/dev/requests?route=poll"):
        if not worker.is_running or time.monotonic() > end:
            raise ProgramError(f"The worker {worker.name} did not poll.", worker.last_words())
        await asyncio.sleep(_LOOK_SECONDS)


async def _end(worker: Program) -> None:
    """End it and all of its group: some of these workers leave behind what they have started."""
    await worker.stop(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
