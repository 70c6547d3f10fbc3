"""Writes to a journal in the given directory without end; prints each number after its result was stored."""

import asyncio
import sys
from pathlib import Path

from supervisor.journal import Claim, Journal


async def main() -> None:
    journal = Journal(Path(sys.argv[1]))
    while True:
        (number,) = await journal.claim([Claim("job", "p/b:1.0.0", "w", 0.0, "d")])
        print("claimed", number, flush=True)
        await journal.store_result(number, b"result %d" % number)
        print("stored", number, flush=True)


asyncio.run(main())
