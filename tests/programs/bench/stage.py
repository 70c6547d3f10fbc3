"""An engine and a worker, each in processes of its own, for one measurement."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Final

import aiohttp

from supervisor.commands.demo.environment import program_environment
from supervisor.commands.shared.program import Program, ProgramError
from tests.programs.bench.engine import Engine
from tests.tokens import bearer

SET_UP_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.05
BLOCKS: Final = ("blocks", "blocks.testing", str(Path(__file__).parent / "measured_blocks"))
ECHO: Final = "neops_base/echo:1.0.0"
WHICH_PROCESS: Final = "neops_bench/which_process:1.0.0"
GIL_HOG: Final = "neops_testing/gil_hog:1.0.0"


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """The settings of a worker that a measurement is about. The rest is at its default."""

    slots: int = 1
    start_method: str = "template"
    poll_seconds: float = 1.0
    heartbeat_seconds: float = 20.0
    max_job_seconds: float = 600.0
    grace_seconds: float = 10.0
    blocks: tuple[str, ...] = BLOCKS
    flags: tuple[str, ...] = ()
    """Further flags, as they stand on a command line."""
    program: str = "supervisor"
    """The module that is run: one that looks at the worker from inside takes the same flags."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs. `worker_pid` is the keeper's, the top of the worker's process tree; 0 without a worker."""

    engine: Engine
    worker_pid: int
    start_seconds: float = 0.0
    """From the start of the worker to its first poll."""


def database_of(directory: Path) -> Path:
    """Return where the engine of a measurement keeps its jobs."""
    return directory / "engine.sqlite3"


def token_file_of(directory: Path) -> Path:
    """Return where the engine of a measurement puts its token."""
    return directory / "engine.token"


@asynccontextmanager
async def staged(directory: Path, options: WorkerOptions | None) -> AsyncIterator[Stage]:
    """Start an engine, and a worker unless `options` is `None`; end both when the block is left.

    Raises `ProgramError`, with what the program said last, when one does not come up.
    """
    directory.mkdir()
    async with AsyncExitStack() as running:
        session = await running.enter_async_context(aiohttp.ClientSession())
        engine = await start_program(
            running, directory, "engine", "sdk.devengine",
            "--port", "0", "--database", str(database_of(directory)), "--test-controls",
            "--token-file", str(token_file_of(directory)),
        )  # fmt: skip
        url = (await engine.wait_for_line(r"^devengine listening on (http://\S+)$", SET_UP_SECONDS))[1]
        engine_client = Engine(url, session, bearer(token_file_of(directory)))
        if options is None:
            yield Stage(engine_client, 0)
            return
        started_at = time.monotonic()
        flags = _flags(url, directory, options)
        worker = await start_program(
            running, directory, "worker", options.program, *flags, environment=options.environment
        )
        await worker.wait_for_line(r"The worker is ready", SET_UP_SECONDS)
        yield Stage(engine_client, worker.pid, await _first_poll(engine_client) - started_at)


async def _first_poll(engine: Engine) -> float:
    """Return when the engine had the first poll, in seconds of CLOCK_MONOTONIC."""
    end = time.monotonic() + SET_UP_SECONDS
    while time.monotonic() < end:
        if polls := await engine.ask("GET", "/dev/requests?route=poll"):
            return min(float(poll["monotonicSeconds"]) for poll in polls)
        await asyncio.sleep(_LOOK_SECONDS)
    raise ProgramError(f"The worker did not poll in {SET_UP_SECONDS:g} s.")


@asynccontextmanager
async def timed(directory: Path, interval_seconds: float) -> AsyncIterator[list[float]]:
    """Have an independent process wake on a beat on each processor; the list is filled at the end, in seconds late.

    That is what this machine owes everybody at this time, whatever the worker does. On each processor, because a host
    may take a single one of a virtual machine away: its kernel does not know that, and moves nothing that runs there.
    The list has the latest of them at each beat. If it had all, what is rare on each would be rarer in it than among
    the beats of a worker, whose percentiles are compared with it.
    """
    late: list[float] = []
    async with AsyncExitStack() as running:
        timer = await start_program(
            running, directory, "timer", "supervisor.commands.demo.timer", f"{interval_seconds:g}"
        )
        await timer.wait_for_line("^timer ready$", SET_UP_SECONDS)
        yield late
        await timer.stop(STOP_SECONDS)
    late.extend(map(max, zip_longest(*json.loads(timer.last_line), fillvalue=0.0)))


def _flags(url: str, directory: Path, options: WorkerOptions) -> list[str]:
    settings = {
        "--engine-url": url,
        "--engine-token-file": str(token_file_of(directory)),
        "--function-blocks": ",".join(options.blocks),
        "--state-dir": str(directory / "state"),
        "--max-concurrent-jobs": f"{options.slots}",
        "--start-method": options.start_method,
        "--poll-seconds": f"{options.poll_seconds:g}",
        "--heartbeat-seconds": f"{options.heartbeat_seconds:g}",
        "--max-job-seconds": f"{options.max_job_seconds:g}",
        "--grace-seconds": f"{options.grace_seconds:g}",
        "--shutdown-timeout-seconds": "1",
    }
    return [*(word for pair in settings.items() for word in pair), *options.flags]


async def start_program(
    running: AsyncExitStack,
    directory: Path,
    name: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
) -> Program:
    """Start a program of this checkout, which ends when `running` is closed. `environment` goes beside our own."""
    program = await Program.start(
        name,
        arguments,
        environment={**program_environment(os.environ, "bench"), **(environment or {})},
        directory=directory,
        on_line=lambda program, line: None,
    )
    running.push_async_callback(program.stop, STOP_SECONDS)
    return program
