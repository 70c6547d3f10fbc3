"""Writes to a ledger in the given directory without end; says what is on the disk once it is.

With a second argument, the process kills itself at that statement (SQL) of its journal's writer.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from supervisor.journal import Claim, Ledger

_connect = sqlite3.connect


def connect_to_die(at: int) -> None:
    """Have every connection count its statements, and the process die in the middle of one."""
    count = 0

    def statement(sql: str) -> None:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = _connect(*arguments, **options)
        connection.set_trace_callback(statement)
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]


async def main() -> None:
    if len(sys.argv) > 2:
        connect_to_die(int(sys.argv[2]))
    ledger = await Ledger.open(Path(sys.argv[1]))
    print("opened 0", flush=True)
    while True:
        (number, other) = await ledger.claim([Claim("job", "p/b:1.0.0", "w", 0.0, "d")] * 2)
        print("claimed", number, flush=True)
        await ledger.store_result(number, b"result %d" % number)
        print("stored", number, flush=True)
        await ledger.store_result(other, b"result %d" % other)
        print("stored", other, flush=True)
        await ledger.mark_dead(other, "refused")
        print("buried", other, flush=True)
        if number > 4:
            ledger.forget(number - 4)
            await ledger.remember("name", str(number))  # with which it leaves the file
            print("forgotten", number - 4, flush=True)


asyncio.run(main())
