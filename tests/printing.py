"""Having an `OutputReader` take in what was printed, portion by portion, as a test writes it."""

import asyncio
import os
import select

from supervisor.process.output import OutputReader
from supervisor.process.pipe_ends import look_at
from tests.patience import PATIENCE_SECONDS


async def take_in(reader: OutputReader, pipe: tuple[int, int], portion: bytes) -> None:
    """Write `portion` into the pipe (its end that is read, and the other), and wait until all of it is passed on."""
    end, child_end = pipe
    os.write(child_end, portion)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while look_at(end) & select.POLLIN or reader._read is not None or reader._taken:
            await asyncio.sleep(0)
