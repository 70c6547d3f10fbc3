"""A run of the worker in the given directory, cut to what its journal sees. Says each step, and is killed at its end.

`accept HOW`: the engine accepts the result of a first try and hands the job out again, while the disk takes nothing:
HOW is `disk` (every byte is taken) or `file` (SQLite refuses to write). Another result waits all the while.
`start`: a later run, which says what it would send.

With a further argument, the process kills itself at that step of what is written from then on.
"""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from supervisor.journal import Claim, Ledger
from supervisor.journal.accepted_results import FILE

_WRITES = ("INSERT", "DELETE", "UPDATE", "COMMIT")


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


class Steps:
    """Counts writes, and each call that makes a file durable twice: before and after it. Dies at the chosen one."""

    def __init__(self, die_at: int) -> None:
        self._die_at = die_at
        self._count = 0
        self.is_counting = False
        for name in ("pwrite", "fdatasync", "fsync", "replace"):
            setattr(os, name, self._counted(getattr(os, name)))
        self._wrap_sqlite()

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._step()
            result = real(*arguments)
            self._step()
            return result

        return call

    def _wrap_sqlite(self) -> None:
        connect = sqlite3.connect

        def connect_counted(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(lambda sql: self._step() if sql.startswith(_WRITES) else None)
            return connection

        sqlite3.connect = connect_counted  # type: ignore[assignment]

    def _step(self) -> None:
        if self.is_counting:
            self._count += 1
            if self._count == self._die_at:
                die()


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def take_every_byte(directory: Path) -> None:
    descriptor = os.open(directory / "filler", os.O_WRONLY | os.O_CREAT, 0o600)
    size = 1 << 20
    while size:
        try:
            os.write(descriptor, bytes(size))
        except OSError:
            size //= 2
    os.close(descriptor)


async def refuse_writes(ledger: Ledger) -> None:
    writer = ledger._durable_copy.journal._writer

    def work() -> None:
        assert writer.database is not None
        writer.database.execute("PRAGMA query_only = ON")

    await writer.call(work)


def claim(job_id: str, claimed_at: float) -> Claim:
    return Claim(job_id, "p/b:1.0.0", "w-1", claimed_at, "d")


async def accept(directory: Path, how: str, steps: Steps) -> None:
    ledger = await Ledger.open(directory, mend_seconds=60)
    first, other = await ledger.claim([claim("job", 1.5), claim("other", 1.5)])
    await ledger.store_result(first, b"first")
    await ledger.store_result(other, b"other")
    if how == "disk":
        take_every_byte(directory)
    else:
        await refuse_writes(ledger)
    steps.is_counting = True
    ledger.forget(first)
    say(step="accepted")
    await ledger.claim([claim("job", 2.5)])
    say(step="claimed", is_in_trouble=ledger.is_in_trouble)


async def start(directory: Path, steps: Steps) -> None:
    steps.is_counting = True
    ledger = await Ledger.open(directory, mend_seconds=60)
    await ledger._durable_copy.removals.finish()
    say(
        sends=[result.text.decode() for result in ledger.undelivered()],
        knows=ledger.knows_the_last_run,
        names=sum(any(slot) for slot in slots(directory)),
    )


def slots(directory: Path) -> list[bytes]:
    content = (directory / FILE).read_bytes()
    return [content[at : at + 32] for at in range(32, len(content), 32)]


async def main() -> None:
    directory, what, *rest = sys.argv[1:]
    how = rest.pop(0) if what == "accept" else ""
    steps = Steps(int(rest[0]) if rest else 0)
    await (accept(Path(directory), how, steps) if what == "accept" else start(Path(directory), steps))
    die()


asyncio.run(main())
