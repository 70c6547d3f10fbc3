"""Workers as processes of their own: the reference worker, and ours."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sdk.devengine import DevEngine
from tests.programs.compat.outcomes import Outcome, outcome_of, submit_all

ROOT: Final = Path(__file__).parents[3]
BLOCKS: Final = Path(__file__).parent / "blocks"
_STOP_SECONDS: Final = 20.0


class CompatError(Exception):
    """The comparison itself could not be made: says with which worker, and why."""


@asynccontextmanager
async def worker(
    name: str, command: Sequence[str], environment: Mapping[str, str], log_file: Path
) -> AsyncIterator[Callable[[], None]]:
    """Run a worker until the end of the block. Raises `CompatError` when it has ended before.

    Gives a function that raises so at once, for those who wait for something of it.
    """
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={"PATH": os.environ["PATH"], "HOME": str(log_file.parent), **environment},
            cwd=log_file.parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def check() -> None:
        if process.returncode is not None:
            raise CompatError(
                f"{name} has ended by itself with exit code {process.returncode}. {said(log_file)}"
            )

    try:
        yield check
        check()
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            return


def said(log_file: Path, lines: int = 15) -> str:
    """Return the last lines of a worker's log, for a person."""
    tail = log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "It said last:\n  " + "\n  ".join(tail)


async def run_all(
    contexts: Mapping[str, dict[str, Any]],
    libraries: Collection[str],
    engine: DevEngine,
    check: Callable[[], None],
    log_file: Path,
    seconds: float,
) -> dict[str, Outcome]:
    """Submit every job and return the outcomes by the jobs' names. Raises `CompatError` when it takes too long.

    Jobs on a router that `contexts` does not have, or that need a library which the worker's environment lacks, are
    left out. `check` is called over and over, and raises when the
    worker is gone.
    """
    jobs = submit_all(engine, contexts, libraries)
    end = time.monotonic() + seconds
    while waiting := [name for name, job_id in jobs.items() if engine.job(job_id).status != "pushed"]:
        check()
        if time.monotonic() > end:
            raise CompatError(f"No result within {seconds:g} s of: {'; '.join(waiting)}. {said(log_file)}")
        await asyncio.sleep(0.05)
    return {name: outcome_of(engine.job(job_id)) for name, job_id in jobs.items()}
