"""What a comparison counts: system calls, page faults and CPU of a tree whose members come and go."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.programs.bench.against.counting import Counter, Perf, Strace, counts_by_event, counts_by_name
from tests.programs.bench.against.usage import Usage, at_rest, memory_mb
from tests.programs.bench.errors import BenchError

PAGES = 3000
FSYNCS = 7
CHILDREN = 3

# Obeys one line: starts so many children that each use memory, bring a file to the disk, and end.
PARENT = f"""
import os, subprocess, sys
child = '''
import mmap, os, sys
memory = mmap.mmap(-1, {PAGES} * mmap.PAGESIZE)
memory.madvise(mmap.MADV_NOHUGEPAGE)
for page in range({PAGES}):
    memory[page * mmap.PAGESIZE] = 1
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for _ in range({FSYNCS}):
    os.fdatasync(file)
'''
print("ready", flush=True)
sys.stdin.readline()
for _ in range({CHILDREN}):
    subprocess.run([sys.executable, "-S", "-c", child, sys.argv[1]], check=True)
print("done", flush=True)
sys.stdin.readline()
"""


@asynccontextmanager
async def parent(directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", PARENT, str(directory / "file"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        await process.wait()


async def obey(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    assert await process.stdout.readline() == b"done\n"


async def test_what_ended_processes_have_used_is_counted(tmp_path: Path) -> None:
    async with parent(tmp_path) as process:
        before = await at_rest(process.pid)
        await obey(process)
        used = (await at_rest(process.pid)).usage - before.usage
    assert used.minor_faults >= CHILDREN * PAGES
    assert used.cpu_seconds > 0


async def test_a_tree_that_lacks_a_process_is_at_rest_only_after_a_long_calm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def look(keeper: int) -> frozenset[int]:
        looks.append(keeper)
        return frozenset({keeper})

    monkeypatch.setattr("tests.programs.bench.against.usage.pids_of_tree", look)
    monkeypatch.setattr("tests.programs.bench.against.usage._LOOK_SECONDS", 0)
    async with parent(tmp_path) as process:
        await at_rest(process.pid, 1)
        complete = len(looks)
        looks.clear()
        await at_rest(process.pid, 2)
        lacking = len(looks)
    # The first look has nothing to compare with, and the last one is taken after the reading.
    assert (complete, lacking) == (1 + 3 + 1, 1 + 30 + 1)


async def test_a_tree_that_never_calms_down_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    monkeypatch.setattr(
        "tests.programs.bench.against.usage.pids_of_tree", lambda _: frozenset({next(numbers)})
    )
    monkeypatch.setattr("tests.programs.bench.against.usage._REST_SECONDS", 0.2)
    with pytest.raises(BenchError, match="did not come to rest"):
        await at_rest(1)


async def test_memory_is_that_of_every_process_of_the_tree(tmp_path: Path) -> None:
    async with parent(tmp_path) as one, parent(tmp_path) as other:
        each = [memory_mb(frozenset({process.pid})) for process in (one, other)]
        both = memory_mb(frozenset({one.pid, other.pid}))
    assert None not in each
    assert both is not None
    assert all(part is not None and 0 < part < both for part in each)


@pytest.mark.parametrize("counter", [Perf(), Strace()], ids=lambda counter: counter.name)
async def test_calls_of_processes_that_start_and_end_meanwhile_are_counted(
    counter: Counter, tmp_path: Path
) -> None:
    async with parent(tmp_path) as process:
        try:
            async with counter.counting([process.pid], tmp_path) as counts:
                await obey(process)
        except (BenchError, OSError) as error:
            pytest.skip(f"{counter.name} can't count here: {error}")
    assert counts.fsyncs == CHILDREN * FSYNCS
    assert counts.system_calls > CHILDREN * (FSYNCS + 50)


def test_the_table_of_perf_is_read_and_what_it_did_not_count_is_left_out() -> None:
    text = (
        "# started on Thu\n\n659;;raw_syscalls:sys_enter;131;100.00;;\n<not counted>;;page-faults;0;0.00;;\n"
    )
    assert counts_by_event(text) == {"raw_syscalls:sys_enter": 659}


def test_the_table_of_strace_is_read_without_its_head_and_its_total() -> None:
    text = (
        "syscall              calls\n------------ ---------\nfdatasync 21\nread 40\n------- -----\ntotal 61\n"
    )
    assert counts_by_name(text) == {"fdatasync": 21, "read": 40}


def test_usage_between_two_readings_is_their_difference() -> None:
    assert Usage(3.0, 50) - Usage(1.0, 20) == Usage(2.0, 30)
