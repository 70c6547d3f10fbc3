"""Commands that are run to their end, and that end with this process: git, the set-up, a version's own command line."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.programs.bench.errors import BenchError

_SHOWN_LINES: Final = 8


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended. `output` has what it wrote to its standard output, `errors` the rest."""

    code: int
    output: bytes
    errors: str

    @property
    def last_words(self) -> str:
        """Return the last lines that it wrote, indented, each after a line break."""
        lines = (self.output.decode(errors="replace") + self.errors).strip().splitlines()
        return "".join(f"\n    {line}" for line in lines[-_SHOWN_LINES:])


async def run(
    arguments: Sequence[str | Path], directory: Path, environment: Mapping[str, str], timeout_seconds: float
) -> Done:
    """Run a command. Cancelling kills it and all that is in its group.

    Raises `BenchError` when it takes too long, or is not installed.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *arguments,
            cwd=directory,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except FileNotFoundError:
        raise BenchError(f"There is no program {arguments[0]}.") from None
    except asyncio.CancelledError:
        # It may run already, and asyncio would end it alone, not what it has started.
        with contextlib.suppress(OSError):
            await _end_group(await starting)
        raise
    try:
        async with asyncio.timeout(timeout_seconds):
            output, errors = await process.communicate()
    except TimeoutError:
        raise BenchError(f"{arguments[0]} was not done within {timeout_seconds:g} s.") from None
    finally:
        await _end_group(process)
    return Done(process.returncode or 0, output, errors.decode(errors="replace"))


async def _end_group(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
