"""Asking a child for its stack: the whole of it, what its tasks await where its loop waits, and never for ever."""

import asyncio
import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from jobrunner.protocol.linux import END_OF_AWAITS, END_OF_AWAITS_AGAIN
from supervisor.launcher.wiring import DUMP_BYTES
from supervisor.watch import stack as stack_module
from supervisor.watch.long_dump import shortened
from supervisor.watch.stack import (
    dumped_bytes,
    leave_out_what_was_told,
    main_thread_of,
    read_stack,
    take_dump,
    take_stack,
)
from supervisor.watch.whose_code import ROOT

BUSY = 'Current thread 0x1 (most recent call first):\n  File "/opt/jobs/show.py", line 20 in run\n'
REST = f'  File "{ROOT}/jobrunner/job.py", line 90 in run_order\n'
IDLE = f"""\
Current thread 0x1 (most recent call first):
  File "/usr/lib/python3.13/selectors.py", line 452 in select
  File "/usr/lib/python3.13/asyncio/base_events.py", line 1961 in _run_once
  File "{ROOT}/jobrunner/job.py", line 69 in run_order
"""
AWAITS = '\nAwaiting in task block (most recent call first):\n  File "/opt/jobs/show.py", line 7 in run\n\n'


class Answering:
    """What `take_dump` needs of a child: each look finds one more part of the answer."""

    def __init__(self) -> None:
        self.dump = os.memfd_create("test-stack")
        self.dump_start = 0
        self.looks = 0
        self.asked: list[str] = []
        self.at_once = ""
        self.blocks_the_signal = False
        self.parts: list[str] = []
        self.main_parts: list[str] = []
        self.awaits: list[str] = []
        self._coming: list[str] = []

    def ask_for_stack(self, *, of_main: bool = False) -> bool:
        self.asked.append("main stack" if of_main else "stack")
        self._coming = list(self.main_parts if of_main else self.parts)
        self.write("" if of_main else self.at_once)
        return True

    def may_be_writing_stack(self) -> bool:
        return self.blocks_the_signal or bool(self._coming)

    def owes_stack(self) -> bool:
        return bool(self._coming)

    def ask_for_awaits(self, *, for_a_person: bool = False, with_threads: bool = False) -> None:
        self.asked += ["threads"] if with_threads else []
        self.asked.append("awaits again" if for_a_person else "awaits")
        self._coming = list(self.awaits)

    def go_on(self) -> None:
        """Write the next part."""
        if self._coming:
            self.write(self._coming.pop(0))

    def write(self, text: str) -> None:
        os.write(self.dump, text.encode())


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """A child that goes on while it is waited for."""
    child = Answering()
    sleep = asyncio.sleep

    async def looking(seconds: float) -> None:
        child.looks += 1
        assert child.looks < 100, "it is waited for without end"
        child.go_on()
        await sleep(0)

    monkeypatch.setattr(stack_module.asyncio, "sleep", looking)
    yield child
    os.close(child.dump)


async def test_a_stack_that_comes_in_parts_is_waited_for_to_its_end(child: Answering) -> None:
    child.parts = [BUSY, REST, REST]
    assert await take_dump(child) == BUSY + REST + REST
    assert child.asked == ["stack"]


async def test_a_stack_that_is_there_before_the_first_look_is_taken(child: Answering) -> None:
    child.at_once = BUSY
    assert await take_dump(child) == BUSY


async def test_a_stack_that_takes_its_time_is_waited_for(child: Answering) -> None:
    child.parts = ["", "", "", BUSY]
    assert await take_dump(child) == BUSY


async def test_a_stack_that_pauses_amid_a_line_is_waited_for_to_its_end(child: Answering) -> None:
    """On a busy machine the child is taken off its processor; what it has not written yet is the main thread."""
    child.parts = [BUSY[:70], "", "", "", BUSY[70:], "", REST]
    assert await take_dump(child) == BUSY + REST


async def test_a_child_that_blocks_the_signal_in_its_main_thread_is_not_waited_for_without_end(
    child: Answering,
) -> None:
    """Another thread answers, and whether it still does can't be seen."""
    child.blocks_the_signal = True
    child.parts = [BUSY[:70], "", "", "", BUSY[70:] + REST]
    assert await take_dump(child) == BUSY + REST
    assert child.looks < 40


async def test_what_was_dumped_before_is_not_taken_for_the_answer(child: Answering) -> None:
    child.write("dumped before\n")
    child.parts = ["", "", BUSY]
    assert await take_dump(child) == BUSY
    assert "dumped before" in os.pread(child.dump, 100, 0).decode()


async def test_the_evidence_begins_where_what_was_told_ends(child: Answering) -> None:
    child.write(BUSY.replace("show", "told"))
    leave_out_what_was_told(child)  # type: ignore[arg-type]  # what is used of it
    child.parts = [BUSY]
    assert await take_stack(child) == BUSY.rstrip()


def test_of_a_dump_of_a_fixed_size_only_what_was_written_is_read(child: Answering) -> None:
    os.ftruncate(child.dump, DUMP_BYTES)
    child.write(BUSY)
    assert read_stack(child) == BUSY.rstrip()  # type: ignore[arg-type]


async def test_what_was_told_makes_room_so_that_a_long_job_s_last_stack_is_not_lost(child: Answering) -> None:
    for _ in range(2):
        child.write("-" * (DUMP_BYTES // 2) + "\n")
        leave_out_what_was_told(child)  # type: ignore[arg-type]
        assert dumped_bytes(child) == child.dump_start == 0  # type: ignore[arg-type]
        child.parts = [BUSY]
        assert await take_dump(child) == BUSY
        assert read_stack(child) == BUSY.rstrip()  # type: ignore[arg-type]
        leave_out_what_was_told(child)  # type: ignore[arg-type]
        assert child.dump_start == len(BUSY)


async def test_a_loop_that_waits_is_asked_what_its_tasks_await_and_the_end_of_that_is_waited_for(
    child: Answering,
) -> None:
    child.parts = [IDLE]
    child.awaits = ["", AWAITS, "", f"\n{END_OF_AWAITS}\n\n"]
    assert await take_dump(child) == IDLE + AWAITS + f"\n{END_OF_AWAITS}\n\n"
    assert child.asked == ["stack", "awaits"]


async def test_a_child_that_does_not_tell_what_it_awaits_is_not_waited_for_without_end(
    child: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(range(100))
    monkeypatch.setattr(stack_module, "time", SimpleNamespace(monotonic=lambda: next(times) * 0.05))
    child.parts = [IDLE]
    assert await take_dump(child) == IDLE
    assert 3 <= next(times) <= 6  # 0.15 s, of which each look takes 0.05 here


async def test_the_loop_of_a_thread_that_is_not_the_job_s_is_not_asked(child: Answering) -> None:
    other = IDLE.replace(f"{ROOT}/jobrunner/job.py", "/opt/jobrunner/job.py")
    child.parts = [f"{other}\n{BUSY}"]
    await take_dump(child)
    assert child.asked == ["stack"]


def test_the_main_thread_is_told_innermost_first_down_to_the_worker_s_own_frames() -> None:
    worker = BUSY + '  File "/opt/jobs/show.py", line 9 in outer\n' + REST
    other = 'Thread 0x2 (most recent call first):\n  File "/opt/jobs/lib.py", line 4 in poll\n'
    frames = main_thread_of(f"{other}\n{worker}")
    assert [(frame.line, frame.function) for frame in frames] == [(20, "run"), (9, "outer")]
    assert main_thread_of(other) == []


def test_what_was_dumped_twice_word_for_word_is_told_once(child: Answering) -> None:
    late_answer = AWAITS + f"\n{END_OF_AWAITS_AGAIN}\n\n"
    elsewhere = AWAITS.replace("line 7", "line 8")
    child.write(late_answer + AWAITS + elsewhere)
    assert read_stack(child) == f"{AWAITS.strip()}\n{elsewhere.strip()}"  # type: ignore[arg-type]


async def test_of_a_dump_without_end_64_kib_are_taken(child: Answering) -> None:
    child.at_once = "x" * 100_000
    assert len(await take_dump(child)) == 64 * 1024


OTHER = 'Thread 0x2 (most recent call first):\n  File "/opt/jobs/lib.py", line {} in poll\n\n'
CRASH = "Fatal Python error: Segmentation fault\n\n"


def others(first: int) -> str:
    """Threads that take 100 kB."""
    return "".join(OTHER.format(first + number) for number in range(1200))


async def test_of_a_dump_of_very_many_frames_the_main_thread_at_its_end_is_kept(child: Answering) -> None:
    child.write(AWAITS)
    child.at_once = f"{others(10_000)}{BUSY}{REST}"
    dump = await take_dump(child)
    assert len(dump) <= 64 * 1024
    assert [(frame.line, frame.function) for frame in main_thread_of(dump)] == [(20, "run")]
    told = read_stack(child)  # type: ignore[arg-type]  # what is used of it
    places = [line for line in told.split("\n") if "File" in line]
    assert '"/opt/jobs/show.py", line 7 in run' in places[0], "what was awaited at the cancellation"
    assert '"/opt/jobs/show.py", line 20 in run' in places[1]


async def test_of_a_crash_amid_very_many_frames_the_thread_that_crashed_is_kept_and_comes_first(
    child: Answering,
) -> None:
    main = BUSY.replace("Current thread", "Thread") + REST
    crashed = OTHER.format(66).replace("Thread", "Current thread")
    child.write(AWAITS + others(10_000) + CRASH + others(20_000) + crashed + others(30_000) + main)
    told = read_stack(child)  # type: ignore[arg-type]
    places = [line.rpartition(", ")[2] for line in told.split("\n") if "File" in line]
    assert places[:3] == ["line 66 in poll", "line 7 in run", "line 20 in run"]


@pytest.mark.parametrize("length", range(1, 12))
def test_no_line_of_a_long_dump_is_cut_as_half_a_secret_is_found_at_the_end_alone(length: int) -> None:
    frames = "".join(f'  File "/opt/{"j" * length}.py", line {number} in poll\n' for number in range(400))
    dump = f"{others(10_000)}{BUSY}{frames}\n{others(20_000)}".encode()
    kept = shortened(dump, 64 * 1024)
    assert 32 * 1024 < len(kept) <= 64 * 1024
    assert b"line 20 in run" in kept
    assert set(kept.split(b"\n")) <= set(dump.split(b"\n"))


HUNDRED = "".join(OTHER.format(number) for number in range(100)) + "...\n"
ALONE = BUSY.replace("Current thread 0x1", "Stack")


async def test_of_more_than_a_hundred_threads_the_main_one_is_asked_for_by_itself(child: Answering) -> None:
    """faulthandler tells of the hundred newest, and then of no more."""
    child.parts = [HUNDRED]
    child.main_parts = ["", ALONE, REST]
    dump = await take_dump(child)
    assert child.asked == ["stack", "main stack"]
    assert [(frame.line, frame.function) for frame in main_thread_of(dump)] == [(20, "run")]
    told = read_stack(child)  # type: ignore[arg-type]  # what is used of it
    assert told.startswith(ALONE)
    assert told.count("in poll") == 100


async def test_of_more_than_a_hundred_threads_what_the_tasks_await_is_asked_for_too(child: Answering) -> None:
    child.parts = [HUNDRED]
    child.main_parts = [IDLE.replace("Current thread 0x1", "Stack")]
    child.awaits = [f"{AWAITS}\n{END_OF_AWAITS}\n\n"]
    assert AWAITS in await take_dump(child)
    assert child.asked == ["stack", "main stack", "awaits"]


async def test_a_main_thread_that_does_not_answer_is_not_waited_for_without_end(child: Answering) -> None:
    child.parts = [HUNDRED]
    assert await take_dump(child) == HUNDRED
    assert child.asked == ["stack", "main stack"]


async def test_a_main_thread_that_gets_no_processor_is_waited_for_until_it_runs(child: Answering) -> None:
    child.parts = [HUNDRED]
    child.main_parts = [*[""] * 60, ALONE, REST]
    dump = await take_dump(child)
    assert [(frame.line, frame.function) for frame in main_thread_of(dump)] == [(20, "run")]


async def test_a_hundred_threads_with_the_main_one_among_them_are_asked_once(child: Answering) -> None:
    child.parts = [f"{BUSY}{REST}\n{HUNDRED}"]
    await take_dump(child)
    assert child.asked == ["stack"]
