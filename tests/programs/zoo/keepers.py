"""What the zoo's jobs run in: an engine and one real worker, in processes of their own."""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import psutil

from supervisor.commands.demo.census import Census
from supervisor.commands.demo.environment import program_environment
from supervisor.commands.demo.worker_log import WorkerLog
from supervisor.commands.local.worker_lines import READY
from supervisor.commands.shared.program import Program
from supervisor.settings.marks import MARK_VARIABLE
from supervisor.settings.run_settings import MOST_SPARES
from tests.job_directories import left_by_jobs
from tests.programs.bench.engine import Engine
from tests.programs.bench.stage import SET_UP_SECONDS, STOP_SECONDS, database_of, token_file_of
from tests.tokens import bearer

SLOTS: Final = 4
LIMIT_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 0.3
MEMORY_MB: Final = 150
BEAT_SECONDS: Final = 0.1
_BLOCKS: Final = ("blocks", "blocks.testing", str(Path(__file__).parent / "zoo_blocks"))
SPARE: Final = "neops-spare"
SESSION_HOLDER: Final = "neops-session"
_SPARES_SECONDS: Final = 60.0
_BUG: Final = re.compile(r"\bCRITICAL\b|bug in this worker|never retrieved|failed unexpectedly|^Traceback")


@dataclass(slots=True)
class Keepers:
    """What runs. `log` knows the causes; `bugs` are lines in which the worker accuses itself."""

    engine: Engine
    worker: Program
    log: WorkerLog
    bugs: list[str]
    jobs_directory: Path
    staff: frozenset[int] = frozenset()

    def strangers(self) -> list[str]:
        """Return what runs below the worker and is neither its own, a spare nor a session holder, as `name (pid)`."""
        return [
            f"{name} ({pid})"
            for pid, name in self.living().items()
            if pid not in self.staff and name not in (SPARE, SESSION_HOLDER)
        ]

    def directories(self) -> list[str]:
        """Return the directories of jobs that are over: there may be one for each spare beside them."""
        return sorted(left_by_jobs(self.jobs_directory, ahead=MOST_SPARES))

    async def descriptors(self) -> int:
        """Return how many descriptors the supervisor has open; 0 where this user may not look.

        Once all spares are there, since each comes with five, and no session holder, which comes with one.
        """
        end = time.monotonic() + _SPARES_SECONDS
        while time.monotonic() < end:
            names = [*self.living().values()]
            if names.count(SPARE) == min(SLOTS + 1, MOST_SPARES) and SESSION_HOLDER not in names:
                break
            await asyncio.sleep(0.05)
        (supervisor,) = psutil.Process(self.worker.pid).children()
        try:
            return supervisor.num_fds()
        except psutil.AccessDenied:
            return 0

    def living(self) -> dict[int, str]:
        """Return the names of all processes below the worker's first one, by pid."""
        living = {}
        for process in psutil.Process(self.worker.pid).children(recursive=True):
            # Between two looks at one process it may end, as those do that make the children.
            with contextlib.suppress(psutil.NoSuchProcess), process.oneshot():
                if process.status() != psutil.STATUS_ZOMBIE:
                    living[process.pid] = process.name()
        return living


@asynccontextmanager
async def kept(directory: Path, census: Census, mark: str) -> AsyncIterator[Keepers]:
    """Start an engine and a worker; end both when the block is left. Raises `ProgramError`."""
    log, bugs = WorkerLog(), list[str]()

    def hear(_: str, line: str) -> None:
        log.hear(line)
        if _BUG.search(line):
            bugs.append(line)

    environment = program_environment(os.environ, mark)
    async with AsyncExitStack() as running:
        session = await running.enter_async_context(aiohttp.ClientSession())

        async def start(name: str, *arguments: str) -> Program:
            program = await Program.start(
                name, arguments, environment=environment, directory=directory, on_line=hear
            )
            running.push_async_callback(program.stop, STOP_SECONDS)
            return program

        engine = await start(
            "engine", "sdk.devengine", "--port", "0", "--database", str(database_of(directory)), "--test-controls",
            "--token-file", str(token_file_of(directory)),
        )  # fmt: skip
        census.expect(engine.pid)
        url = (await engine.wait_for_line(r"^devengine listening on (http://\S+)$", SET_UP_SECONDS))[1]
        worker = await start("worker", "supervisor", *_flags(url, directory))
        await worker.wait_for_line(READY, SET_UP_SECONDS)
        keepers = Keepers(
            Engine(url, session, bearer(token_file_of(directory))),
            worker,
            log,
            bugs,
            directory / "state" / "jobs",
        )
        keepers.staff = frozenset(pid for pid, name in keepers.living().items() if name != SPARE)
        yield keepers


def _flags(url: str, directory: Path) -> list[str]:
    settings = {
        "--engine-url": url,
        "--engine-token-file": str(token_file_of(directory)),
        "--function-blocks": ",".join(_BLOCKS),
        "--state-dir": str(directory / "state"),
        "--max-concurrent-jobs": f"{SLOTS}",
        "--max-job-seconds": f"{LIMIT_SECONDS:g}",
        "--grace-seconds": f"{GRACE_SECONDS:g}",
        "--max-job-memory-mb": f"{MEMORY_MB}",
        "--heartbeat-seconds": f"{BEAT_SECONDS:g}",
        "--poll-seconds": "0.1",
        "--log-format": "json",
        "--shutdown-timeout-seconds": "1",
        "--job-env": MARK_VARIABLE,
    }
    return [word for pair in settings.items() for word in pair]
