"""How many system calls a worker makes, and how many of them bring data to the disk.

By `perf`, which counts in the kernel; where that can't be used, by `strace`, which stops the worker at each call. Both
hold up what they count, `strace` a lot, so no time is measured meanwhile. Where neither can be used, there is no count.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tests.programs.bench.errors import BenchError

_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.02
_TO_DISK: Final = ("fsync", "fdatasync")
_CAP_SYS_PTRACE: Final = 19


@dataclass(slots=True)
class Counts:
    """What was counted; complete when the counter is left."""

    system_calls: int = 0
    fsyncs: int = 0


class Counter(Protocol):
    """Counts while its context is open: for the given processes, and for all that they start."""

    name: str

    def counting(self, pids: Iterable[int], directory: Path) -> AbstractAsyncContextManager[Counts]:
        """Count from here to the end of the block. Raises `BenchError` where that is not possible."""
        ...


class Perf:
    """The kernel's own counters of its trace points."""

    name = "perf"

    @asynccontextmanager
    async def counting(self, pids: Iterable[int], directory: Path) -> AsyncIterator[Counts]:
        """Start counting when perf says that it does."""
        events = ["raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{name}" for name in _TO_DISK)]
        file, orders, answers = (directory / name for name in ("perf.csv", "perf-orders", "perf-answers"))
        counts = Counts()
        command = [
            "perf", "stat", "--field-separator=;", f"--output={file}", f"--event={','.join(events)}",
            "--delay=-1", f"--control=fifo:{orders},{answers}", f"--pid={','.join(map(str, pids))}",
        ]  # fmt: skip
        with _fifo(orders) as orders_fd, _fifo(answers) as answers_fd:
            async with _running(command) as perf:
                await _order(perf, orders_fd, answers_fd, b"enable\n")
                yield counts
                await _order(perf, orders_fd, answers_fd, b"disable\n")
                await _end(perf)
        found = counts_by_event(file.read_text(encoding="utf-8"))
        counts.system_calls = found.get(events[0], 0)
        counts.fsyncs = sum(found.get(event, 0) for event in events[1:])


class Strace:
    """A tracer that stops each process at each call, and adds up."""

    name = "strace"

    @asynccontextmanager
    async def counting(self, pids: Iterable[int], directory: Path) -> AsyncIterator[Counts]:
        """Start counting when the kernel says that every thread is traced."""
        file, traced = directory / "strace.txt", list(pids)
        counts = Counts()
        command = ["strace", "-f", "-c", "-U", "name,calls", "-o", str(file)]
        command += [f"--attach={pid}" for pid in traced]
        async with _running(command) as strace:
            end = time.monotonic() + _SECONDS
            while not all(map(_is_traced, traced)):
                if strace.returncode is not None or time.monotonic() > end:
                    raise BenchError("strace could not attach to the worker.")
                await asyncio.sleep(_LOOK_SECONDS)
            yield counts
            await _end(strace)
        calls = counts_by_name(file.read_text(encoding="utf-8"))
        counts.system_calls = sum(calls.values())
        counts.fsyncs = sum(calls.get(name, 0) for name in _TO_DISK)


async def usable_counter(directory: Path) -> Counter | None:
    """Return the first counter that counts the calls of a process of this user's own, `None` when none does.

    The worker is undumpable: only who may trace any process can count what it calls.
    """
    if not _may_trace_any_process():
        return None
    for counter in (Perf(), Strace()):
        async with _running(["sh", "-c", "while :; do sleep 0.05; done"]) as process:
            try:
                async with counter.counting([process.pid], directory) as counts:
                    await asyncio.sleep(0.2)
            except (BenchError, OSError):
                continue
            if counts.system_calls:
                return counter
    return None


def _may_trace_any_process() -> bool:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    effective = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    return bool(effective >> _CAP_SYS_PTRACE & 1)


def counts_by_event(text: str) -> dict[str, int]:
    """Read `perf stat --field-separator=;`: count, unit, event, and more. What was not counted has no number."""
    rows = [line.split(";") for line in text.splitlines()]
    return {row[2]: int(row[0]) for row in rows if len(row) > 2 and row[0].isdigit()}


def counts_by_name(text: str) -> dict[str, int]:
    """Read the table of `strace -c -U name,calls`, without its head and its total."""
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit() and row[0] != "total"}


def _is_traced(pid: int) -> bool:
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    return all("TracerPid:\t0\n" not in (thread / "status").read_text() for thread in threads)


@asynccontextmanager
async def _running(command: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    # In the language that the tables are read in, and out of the reach of a Ctrl-C.
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "LC_ALL": "C"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have it write its table: that is what it does on a Ctrl-C."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(_SECONDS):
            await process.wait()
    except TimeoutError:
        raise BenchError("What counts system calls did not come to its end.") from None


@contextmanager
def _fifo(path: Path) -> Iterator[int]:
    """Make a fifo and open both of its ends, so that opening does not wait for somebody who never comes."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        path.unlink()


async def _order(process: asyncio.subprocess.Process, orders: int, answers: int, order: bytes) -> None:
    """Give perf an order, and wait until it says that it has done so."""
    os.write(orders, order)
    end = time.monotonic() + _SECONDS
    while process.returncode is None and time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            if b"ack" in os.read(answers, 64):
                return
        await asyncio.sleep(_LOOK_SECONDS)
    raise BenchError("perf could not count what the worker does.")
