"""Code that holds up a loop: told once for each place, and from outside only where the child can't tell it itself."""

import asyncio
import os
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from virtual_time import VirtualTime
from watch_faults import no_descriptor

from jobrunner.protocol.messages import Blocking
from supervisor.lifecycle.gil import ThreadSeen
from supervisor.log.event import Event
from supervisor.log.events.jobs import BlockingUnwatched, BlockingWatched, LoopBlocked
from supervisor.log.events.worker import TaskFailed
from supervisor.watch import blocking as blocking_module
from supervisor.watch.blocking import MOST_PLACES, BlockingReport
from supervisor.watch.stall import LoopReports
from supervisor.watch.whose_code import ROOT
from tests.log_events import told

BOUND_SECONDS = 20.0
HELD_SECONDS = BlockingReport._held_seconds
DUMP = f"""\
Current thread 0x1 (most recent call first):
  File "/opt/lib/python3.13/site-packages/netlib/c.py", line 3 in inner
  File "/opt/jobs/show.py", line 20 in compute
  File "/opt/jobs/show.py", line 9 in run
  File "{ROOT}/jobrunner/job.py", line 90 in run_order
"""


class Log:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.events: list[tuple[type[Event], dict[str, Any]]] = []

    def tell(self, event: type[Event], **facts: Any) -> None:
        self.events.append((event, facts))

    @property
    def told(self) -> list[str]:
        """What was told of places that block. Fails where anything else was told."""
        assert {event for event, _ in self.events} <= {LoopBlocked}
        return [facts["explanation"] for _, facts in self.events]


class Stage:
    """A job whose child is silent: `held` is how long the GIL was held at each look, `dump` what it answers."""

    def __init__(self, clock: VirtualTime) -> None:
        self.clock = clock
        self.log = Log()
        self.unread = 0
        self.dump = DUMP
        self.dumps = 0
        self.looked_at: list[float] = []
        self.held = 0.2
        descriptor = os.memfd_create("test-blocking")
        os.write(descriptor, b"12345678")
        self.child: Any = SimpleNamespace(
            pid=os.getpid(),
            dump=descriptor,
            dump_start=0,
            dump_turn=asyncio.Lock(),
            unread_bytes=lambda: self.unread,
        )
        self.reports: list[BlockingReport] = []

    def report(self, threshold_seconds: float = 1.0, home: str = "/opt/jobs") -> BlockingReport:
        self.reports.append(BlockingReport(self.child, self.log, "lab/x:1.0.0", home, threshold_seconds))
        return self.reports[-1]

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(BOUND_SECONDS):
            while not condition():
                await asyncio.sleep(0)

    async def take_dump(self, _: Any, *, main_only: bool) -> str:
        self.dumps += 1
        return self.dump

    async def held_seconds(self) -> float:
        self.looked_at.append(self.clock.now)
        await self.clock.sleep(0.2)
        return self.held


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    clock = VirtualTime()
    stage = Stage(clock)
    monkeypatch.setattr(blocking_module, "asyncio", clock)
    monkeypatch.setattr(blocking_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(blocking_module, "take_dump", stage.take_dump)
    monkeypatch.setattr(BlockingReport, "_held_seconds", stage.held_seconds)
    yield stage
    for report in stage.reports:
        report.stop()
    os.close(stage.child.dump)


def message(line: int, since: float = 0.0, file: str = "/opt/jobs/show.py") -> Blocking:
    return Blocking(file=file, line=line, since=since, text=f"line {line} blocks")


async def test_each_place_is_told_once_and_so_many_and_no_more(stage: Stage) -> None:
    report = stage.report()
    report.blocked(message(1))
    report.blocked(message(1))
    report.blocked(message(1, file="/opt/jobs/other.py"))
    assert stage.log.told == ["line 1 blocks"] * 2
    for line in range(2, MOST_PLACES + 5):
        report.blocked(message(line))
    assert len(stage.log.told) == MOST_PLACES == 20


async def test_no_more_places_are_kept_whatever_time_the_child_says(stage: Stage) -> None:
    report = stage.report()
    for line in range(1000):
        report.blocked(message(line, since=-1.0, file="f" * 4096))
    assert len(report._told) == MOST_PLACES
    assert stage.log.told == []


async def test_a_loop_that_sleeps_is_not_looked_at_until_it_ticks(stage: Stage) -> None:
    report = stage.report()
    report.ticked(sleeps=True)
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert not stage.log.told
    report.ticked()
    await stage.until(lambda: stage.log.told)


async def test_a_loop_that_never_ticks_is_looked_at_from_its_order_on(stage: Stage) -> None:
    """C code may take the GIL in the block's first step, and keep it."""
    report = stage.report(0.25)
    report.begin()
    assert not report._tasks
    await stage.until(lambda: stage.log.told)
    assert stage.clock.now >= 0.25


async def test_a_job_that_is_over_soon_is_not_watched_and_neither_is_one_that_is_being_ended(
    stage: Stage,
) -> None:
    report = stage.report()
    report.begin()
    report.stop()
    assert report._beginning is not None
    assert report._beginning.cancelled()
    report.ticked()
    assert not report._tasks


async def test_c_code_that_holds_the_gil_is_told_from_here_with_the_author_s_lines(stage: Stage) -> None:
    report = stage.report()
    report.ticked()
    await stage.until(lambda: stage.log.told)
    (text,) = stage.log.told
    assert "lab/x:1.0.0 blocks its event loop: C code has held the GIL for" in text
    assert "(The limit is 1 s.)" in text
    first, second = 'File "/opt/jobs/show.py", line 9, in run', "line 20, in compute"
    assert text.index(first) < text.index(second)
    assert "netlib" not in text
    # The evidence of the end begins after what was told.
    assert stage.child.dump_start == 8
    # It is silent for longer than the threshold, and was then seen to compute for as long.
    assert 1.9 < stage.clock.now < 3.0
    # What the child tells of the same, when it can speak again, is known.
    report.blocked(message(21, since=stage.clock.now - 0.5))
    assert len(stage.log.told) == 1
    report.blocked(message(22, since=stage.clock.now + 0.5))
    assert len(stage.log.told) == 2


async def test_a_silence_that_was_told_is_not_looked_at_again_until_the_next_tick(stage: Stage) -> None:
    report = stage.report()
    report.ticked()
    await stage.until(lambda: stage.log.told)
    dumps = stage.dumps
    for _ in range(200):
        await asyncio.sleep(0)
    assert stage.dumps == dumps == 1
    stage.dump = DUMP.replace("line 20", "line 30")
    report.ticked()
    await stage.until(lambda: len(stage.log.told) == 2)
    assert "line 30" in stage.log.told[1]


async def passes(stage: Stage, seconds: float) -> None:
    """Let the time of the watch pass."""
    end = stage.clock.now + seconds
    await stage.until(lambda: stage.clock.now >= end)


async def test_a_loop_that_ticks_is_not_looked_at(stage: Stage) -> None:
    report = stage.report()
    for _ in range(8):
        report.ticked()
        await passes(stage, 0.8)
    assert (stage.looked_at, stage.log.told) == ([], [])


async def test_a_child_that_does_not_hold_the_gil_is_not_asked_for_its_stack(stage: Stage) -> None:
    stage.held = 0.0
    stage.report().ticked()
    await passes(stage, 10)
    assert len(stage.looked_at) > 2
    assert (stage.dumps, stage.log.told) == (0, [])
    # A look reads a file for each thread of the job: a child that waits for hours must not cost that all the time.
    assert all(later - earlier > 1.0 for earlier, later in pairwise(stage.looked_at))


async def test_ticks_that_wait_to_be_read_are_no_silence(stage: Stage) -> None:
    stage.unread = 5
    stage.report().ticked()
    await passes(stage, 10)
    assert stage.looked_at == []


async def test_what_ticks_while_it_is_looked_at_is_not_told_but_the_silence_that_follows_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = stage.report()
    told_then: list[str] = []

    async def tick_meanwhile(child: Any, *, main_only: bool) -> str:
        if stage.dumps == 1:
            told_then.extend(stage.log.told)
            return await stage.take_dump(child, main_only=main_only)
        report.ticked()
        return (await stage.take_dump(child, main_only=main_only)).replace("line 20", "line 10")

    monkeypatch.setattr(blocking_module, "take_dump", tick_meanwhile)
    report.ticked()
    await stage.until(lambda: stage.log.told)
    assert told_then == []
    assert "line 20" in stage.log.told[0]


async def test_code_that_is_not_the_author_s_is_not_told(stage: Stage) -> None:
    stage.dump = DUMP.replace("/opt/jobs/", f"{os.path.dirname(os.__file__)}/")
    stage.report(home="").ticked()
    await stage.until(lambda: stage.dumps)
    for _ in range(100):
        await asyncio.sleep(0)
    assert (stage.dumps, stage.log.told) == (1, [])


async def test_a_silence_that_gave_no_stack_is_looked_at_again(stage: Stage) -> None:
    stage.dump = ""
    stage.report().ticked()
    await stage.until(lambda: stage.dumps >= 3)
    assert stage.log.told == []


@pytest.mark.parametrize("folder", ["sdk", "jobrunner", "supervisor"])
async def test_a_block_in_a_folder_that_is_called_as_one_of_ours_is_told(stage: Stage, folder: str) -> None:
    stage.dump = DUMP.replace("/opt/jobs/", f"/opt/{folder}/")
    stage.report(home=f"/opt/{folder}").ticked()
    await stage.until(lambda: stage.log.told)
    assert f'File "/opt/{folder}/show.py", line 20, in compute' in stage.log.told[0]


@pytest.mark.parametrize("threshold_seconds", [0.0, 0.09])
async def test_below_what_can_be_told_apart_nothing_is_watched(
    stage: Stage, threshold_seconds: float
) -> None:
    report = stage.report(threshold_seconds)
    report.ticked()
    assert not report._tasks
    report.blocked(message(1))
    assert stage.log.told == ["line 1 blocks"]
    report.stop()
    least = stage.report(0.1)
    least.ticked()
    assert least._tasks


async def test_nothing_is_told_any_more_when_the_job_is_being_ended(stage: Stage) -> None:
    report = stage.report()
    report.ticked()
    report.stop()
    assert report._tasks
    await report._tasks.wait()
    assert stage.log.told == []


async def test_a_thread_s_times_are_in_seconds_and_a_process_that_is_gone_has_none() -> None:
    seen = blocking_module._threads_of(os.getpid())
    mine = seen[os.getpid()]
    assert isinstance(mine, ThreadSeen)
    assert 0.01 < mine.cpu_seconds < 10_000
    assert blocking_module._threads_of(4_194_303) == {}


async def test_what_the_kernel_counts_in_nanoseconds_is_told_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "schedstat").write_text("2500000000 750000000 40\n")
    monkeypatch.setattr(blocking_module, "Path", lambda _: tmp_path)
    assert blocking_module._threads_of(7) == {7: ThreadSeen(2.5, 0.75, 40)}


@pytest.mark.parametrize(("ran_seconds", "held_seconds"), [(0.2, 0.2), (0.0, 0.0)])
async def test_only_who_computes_holds_the_gil_and_not_who_sleeps_with_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, ran_seconds: float, held_seconds: float
) -> None:
    """A system call that sleeps can notice the signal that asks for the stack."""
    main, waiting = stage.child.pid, -1
    looks = [
        {main: ThreadSeen(1.0, 0.0, 1), waiting: ThreadSeen(1.0, 0.0, 1)},
        {main: ThreadSeen(1.0 + ran_seconds, 0.0, 2), waiting: ThreadSeen(1.0, 0.0, 41)},
    ]
    monkeypatch.setattr(blocking_module, "_threads_of", lambda _: looks.pop(0))
    assert await HELD_SECONDS(stage.report()) == pytest.approx(held_seconds)


async def test_the_reports_of_a_job_are_in_one_hand(stage: Stage) -> None:
    reports = LoopReports(
        stage.child, stage.log, block_id="lab/x:1.0.0", block_file="/opt/jobs/show.py", blocking_seconds=1.0
    )
    assert reports._blocking._home == "/opt/jobs"
    reports.blocked(message(1))
    assert stage.log.told == ["line 1 blocks"]
    reports.ticked()
    reports.stalled(3.0)
    tasks = [*reports._blocking._tasks._running, *reports._stall._tasks._running]
    reports.stop()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [task.cancelled() for task in tasks] == [True, True]


async def test_a_watch_that_fails_is_logged_with_its_trace(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("broken")

    stage.log.tell = broken  # type: ignore[method-assign]
    stage.report().ticked()
    await stage.until(lambda: caplog.records)
    (failed,) = told(caplog, TaskFailed)
    assert failed["task"] == "watch for blocking code"
    assert "starts again" in failed["consequence"]
    assert "ValueError: broken" in caplog.text


async def test_a_look_that_fails_is_told_once_and_tried_again_until_it_works(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OSError(24, "Too many open files")] * 3

    async def held_seconds(_: BlockingReport) -> float:
        if failures:
            raise failures.pop()
        return await stage.held_seconds()

    monkeypatch.setattr(BlockingReport, "_held_seconds", held_seconds)
    stage.report().ticked()
    await stage.until(lambda: len(stage.log.events) == 3)
    told_of = dict(stage.log.events)
    assert told_of.keys() == {BlockingUnwatched, BlockingWatched, LoopBlocked}
    assert "C code has held the GIL" in told_of[LoopBlocked]["explanation"]
    assert told_of[BlockingUnwatched] == {"reason": "Too many open files"}
    assert told_of[BlockingWatched] == {}
    assert stage.log.events[0][0] is BlockingUnwatched
    assert stage.clock.now < 1.0 + 3 * 1.2 + 5.0


async def test_threads_that_can_not_be_read_for_want_of_a_descriptor_are_not_taken_for_none() -> None:
    with no_descriptor(), pytest.raises(OSError, match="Too many open files"):
        blocking_module._threads_of(os.getpid())
