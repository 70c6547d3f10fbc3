"""One version in one pair: its engine, its worker while one runs, and what was measured so far."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from supervisor.commands.shared.program import Program, ProgramError
from tests.programs.bench.against.usage import Rest, Usage, at_rest
from tests.programs.bench.against.versions import Version
from tests.programs.bench.engine import Engine
from tests.programs.bench.stage import SET_UP_SECONDS, STOP_SECONDS, database_of, start_program

ECHO: Final = "neops_bench/echo:1.0.0"
BLOCKS: Final = Path(__file__).parents[1] / "compared_blocks"
_LOOK_SECONDS: Final = 0.05


@dataclass(slots=True)
class Side:
    """What runs for a version. Jobs and usage are kept by the name of the measurement that they belong to."""

    version: Version
    directory: Path
    engine: Engine
    worker_pid: int = 0
    processes: int | None = None
    """How many its worker had when it was last at rest."""
    jobs: dict[str, list[list[str]]] = field(default_factory=dict)
    usage: dict[str, list[Usage]] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    """The seconds that each of its workers has taken to poll."""
    values: dict[str, float] = field(default_factory=dict)

    async def submit(self, measurement: str, count: int) -> list[str]:
        """Submit some jobs at once, and keep which they are."""
        texts = [{"text": f"{measurement} {number}"} for number in range(count)]
        job_ids = await self.engine.submit(ECHO, texts)
        self.jobs.setdefault(measurement, []).append(job_ids)
        return job_ids

    async def run(self, measurement: str, count: int) -> Rest:
        """Run some jobs, wait until all is as it was before, and keep what they have used."""
        before = await self.rest()
        await self.engine.wait_for(await self.submit(measurement, count), 120)
        after = await self.rest()
        self.usage.setdefault(measurement, []).append(after.usage - before.usage)
        return after

    async def rest(self) -> Rest:
        """Wait until the worker is at rest."""
        rest = await at_rest(self.worker_pid, self.processes)
        self.processes = len(rest.pids)
        return rest


@asynccontextmanager
async def side_of(version: Version, directory: Path) -> AsyncIterator[Side]:
    """Start an engine for a version; end it when the block is left."""
    directory.mkdir()
    async with AsyncExitStack() as running:
        session = await running.enter_async_context(aiohttp.ClientSession())
        engine = await start_program(
            running, directory, "engine", "sdk.devengine",
            "--port", "0", "--database", str(database_of(directory)), "--test-controls",
            # An earlier version, or the worker of neops_worker_sdk, can't send one.
            "--without-token",
        )  # fmt: skip
        url = (await engine.wait_for_line(r"^devengine listening on (http://\S+)$", SET_UP_SECONDS))[1]
        yield Side(version, directory, Engine(url, session))


@asynccontextmanager
async def worker_of(side: Side, slots: int, poll_seconds: float) -> AsyncIterator[float]:
    """Start the version's worker; end it when the block is left. Yields the seconds up to its first poll.

    Raises `ProgramError`, with what the worker said last, when it does not come up.
    """
    polls = len(await _polls(side.engine))
    started_at = time.monotonic()
    worker = await _start(side, f"worker-{slots}", _flags(side, slots, poll_seconds))
    try:
        async with asyncio.timeout(SET_UP_SECONDS):
            while len(seen := await _polls(side.engine)) == polls:
                if not worker.is_running:
                    raise ProgramError(f"The worker of {side.version.name} ended.{worker.last_words()}")
                await asyncio.sleep(_LOOK_SECONDS)
        side.worker_pid, side.processes = worker.pid, None
        yield seen[polls] - started_at
    except TimeoutError:
        raise ProgramError(
            f"The worker of {side.version.name} did not poll in {SET_UP_SECONDS:g} s.{worker.last_words()}"
        ) from None
    finally:
        await worker.stop(STOP_SECONDS)


async def _polls(engine: Engine) -> list[float]:
    records = await engine.ask("GET", "/dev/requests?route=poll")
    return sorted(float(record["monotonicSeconds"]) for record in records)


def _flags(side: Side, slots: int, poll_seconds: float) -> list[str]:
    settings = {
        "--engine-url": side.engine.url,
        "--function-blocks": str(BLOCKS),
        "--state-dir": str(side.directory / "state"),
        "--max-concurrent-jobs": f"{slots}",
        "--poll-seconds": f"{poll_seconds:g}",
        "--shutdown-timeout-seconds": "1",
    }
    return [*(word for pair in settings.items() for word in pair), *side.version.flags]


async def _start(side: Side, name: str, flags: Sequence[str]) -> Program:
    process = await asyncio.create_subprocess_exec(
        side.version.command,
        *flags,
        env=side.version.variables(),
        cwd=side.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return Program(name, process, lambda program, line: None)
