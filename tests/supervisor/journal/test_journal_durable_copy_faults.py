"""The file as a copy of what is in memory, where the disk does not take it: what is tried again, and what is said."""

import asyncio
import logging

import pytest
from journal_support import claim
from played_disk import ASIDE, BROKEN, BUG, DAMAGED, DENIED, EARLIER, FULL, PATH, Desk, on_disk, said

from supervisor.journal.records import Entry
from supervisor.journal.rows import Loaded
from supervisor.lifecycle.disk_speed import QUIET_SECONDS, WRITES
from supervisor.log.events.results import (
    JournalFailing,
    JournalFast,
    JournalReplaced,
    JournalRestored,
    JournalSlow,
)
from tests.log_events import told
from tests.simulated_time import START, elapsed, turns


def test_a_full_disk_is_said_once_and_tried_every_two_seconds_until_it_has_everything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.error = FULL
        await desk.copy.save(desk.claims.add([claim("a"), claim("b")]))
        await desk.copy.remember("name", "value")
        assert elapsed() == 0
        (text,) = said(caplog)
        (facts,) = told(caplog, JournalFailing)
        assert (facts["path"], facts["pause_seconds"]) == (str(PATH), 2)
        assert f"({FULL})" in facts["reason"]
        assert "the disk is full" in facts["reason"]
        await asyncio.sleep(7)
        assert said(caplog) == [text]
        assert not desk.copy.is_whole
        desk.disk.error = None
        await asyncio.sleep(1.5)
        assert desk.copy.is_whole
        assert len(said(caplog)) == 2
        assert told(caplog, JournalRestored) == [{"path": str(PATH)}]
        tries = [("save", (1, "a")), ("save", (2, "b")), ("fact", "name", "value")]
        assert desk.disk.done == [
            ("open",), ("save", (1, "a"), (2, "b")), ("fact", "name", "value"), *tries * 4,
        ]  # fmt: skip
        assert desk.disk.times[3::3] == [START + seconds for seconds in (2, 4, 6, 8)]
        await asyncio.sleep(100)
        assert len(desk.disk.done) == 15  # it is whole: nothing is tried any more
        desk.disk.error = FULL
        await desk.copy.remember("name", "again")
        assert len(said(caplog)) == 3  # another trouble is said again
        desk.disk.error = None
        await desk.copy.close()

    on_disk(steps())


@pytest.mark.parametrize(("error", "opened_at"), [(FULL, [0]), (BROKEN, [0, 6, 12]), (DENIED, [0, 6, 12])])
def test_after_faults_that_leave_the_open_file_stale_it_is_opened_anew_at_every_third_try(
    error: OSError, opened_at: list[float]
) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.error = error
        await desk.copy.save(desk.claims.add([claim("a")]))
        await asyncio.sleep(13)
        opened = [
            at - START for at, what in zip(desk.disk.times, desk.disk.done, strict=True) if what == ("open",)
        ]
        assert opened == opened_at
        desk.disk.error = None
        await asyncio.sleep(2)
        assert desk.copy.is_whole
        # The next trouble counts from its own first try.
        desk.disk.error = error
        await desk.copy.remember("name", "value")
        before = len(desk.disk.asked("open"))
        await asyncio.sleep(5)
        assert len(desk.disk.asked("open")) == before
        desk.disk.error = None
        await desk.copy.close()

    on_disk(steps())


def test_a_file_that_can_not_be_opened_again_is_tried_and_said_once_and_nothing_is_written_meanwhile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.error, desk.disk.open_error = BROKEN, DENIED
        await desk.copy.save(desk.claims.add([claim("a")]))
        await asyncio.sleep(6.5)
        writes = len(desk.disk.asked("save"))
        await desk.copy.save(desk.claims.add([claim("b")]))
        await asyncio.sleep(4)
        assert len(desk.disk.asked("save")) == writes
        assert len(said(caplog)) == 1
        desk.disk.error = desk.disk.open_error = None
        await asyncio.sleep(2)
        assert desk.copy.is_whole
        assert desk.disk.done[-3:] == [("open",), ("save", (1, "a")), ("save", (2, "b"))]
        await desk.copy.close()

    on_disk(steps())


@pytest.mark.parametrize("together", [1, 2])
def test_what_can_not_be_stored_at_all_is_a_bug_that_is_said_and_not_tried_for_ever(
    caplog: pytest.LogCaptureFixture, together: int
) -> None:
    """Of several that were written together it is not known which it was: each is tried alone, at once."""

    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.error = BUG
        await desk.copy.save(desk.claims.add([claim(str(number)) for number in range(together)]))
        assert desk.copy.is_whole is (together == 1)
        await turns()
        assert desk.copy.is_whole
        assert elapsed() == 0
        assert len(desk.disk.asked("save")) == (1 if together == 1 else 3)
        assert len(said(caplog, logging.CRITICAL)) == len(desk.disk.asked("save"))
        assert all("bug in this worker" in text for text in said(caplog))
        await desk.copy.close()

    on_disk(steps())


def test_a_file_that_is_damaged_is_replaced_at_once_by_one_with_all_that_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        desk.disk.holds = EARLIER
        await desk.begin()
        await desk.copy.remember("name", "value")
        desk.disk.salvaged = Loaded(facts={"name": "old"}, entries=[Entry(77, claim("stale"))])
        desk.disk.error = DAMAGED
        await desk.copy.save(desk.claims.add([claim("new")]))
        await turns(60)
        assert elapsed() == 0
        assert desk.copy.is_whole
        after = desk.disk.done[desk.disk.done.index(("move aside",)) :]
        assert after[:2] == [("move aside",), ("open",)]
        assert sorted(after[2:]) == [
            ("fact", "name", "value"),
            ("fact", "worker_uuid", "w-1"),
            ("save", (3, "earlier")),
            ("save", (5, "running")),
            ("save", (10, "new")),
        ]
        assert len(said(caplog)) == 1
        # Nothing was salvaged: memory knew better.
        assert told(caplog, JournalReplaced) == [{"path": str(PATH), "moved_to": str(ASIDE), "salvaged": ""}]
        await desk.copy.close()

    on_disk(steps())


def test_a_file_that_was_taken_away_is_begun_anew_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        await desk.copy.save(desk.claims.add([claim("a")]))
        await desk.copy.remember("name", "value")
        desk.disk.hangs = True
        late = asyncio.ensure_future(desk.copy.save(desk.claims.add([claim("b")])))
        await turns()
        desk.copy.file_was_taken_away()
        desk.disk.answer()  # it went to the file that is gone
        await late
        await turns(60)
        assert elapsed() == 0
        assert desk.copy.is_whole
        after = desk.disk.done[4:]
        assert after == [("open",), ("save", (1, "a")), ("save", (2, "b")), ("fact", "name", "value")]
        assert "removed or replaced" in said(caplog)[0]
        assert not told(caplog, JournalFailing)[0]["reason"].endswith(")")  # there is no error to show
        await desk.copy.close()

    on_disk(steps())


def test_for_a_disk_that_hangs_one_job_waits_five_seconds_and_then_none_and_nothing_piles_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.hangs = True
        await desk.copy.save(desk.claims.add([claim("a")]))
        assert 5 <= elapsed() <= 6
        assert "does not answer" in said(caplog)[0]
        before = elapsed()
        await desk.copy.save(desk.claims.add([claim("b")]))
        await desk.copy.remember("name", "value")
        assert elapsed() == before
        await asyncio.sleep(60)
        assert len(desk.disk.done) == 4
        desk.disk.answer()
        await asyncio.sleep(3)
        assert desk.copy.is_whole
        assert len(desk.disk.done) == 4
        assert told(caplog, JournalRestored)
        # From now on it is waited for again.
        desk.disk.hangs = True
        saving = asyncio.ensure_future(desk.copy.save(desk.claims.add([claim("c")])))
        await turns()
        assert not saving.done()
        desk.disk.answer()
        await saving
        await desk.copy.close()

    on_disk(steps())


@pytest.mark.parametrize("kind", ["rows", "facts"])
def test_what_a_hanging_disk_refuses_at_last_is_written_again(kind: str) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.hangs = True
        if kind == "rows":
            await desk.copy.save(desk.claims.add([claim("a")]))
        else:
            await desk.copy.remember("name", "value")
        await asyncio.sleep(10)
        desk.disk.answer(FULL)
        await asyncio.sleep(3)
        assert desk.copy.is_whole
        assert desk.disk.done[1] == desk.disk.done[2]
        assert len(desk.disk.done) == 3
        await desk.copy.close()

    on_disk(steps())


def test_a_file_that_was_taken_away_from_a_full_disk_is_tried_at_once_and_then_every_two_seconds() -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        await desk.copy.save(desk.claims.add([claim("a")]))
        desk.disk.open_error = FULL
        desk.copy.file_was_taken_away()
        await asyncio.sleep(5)
        assert [at - START for at in desk.disk.times[2:]] == [0, 2, 4]
        desk.disk.open_error = None
        await asyncio.sleep(2)
        assert desk.copy.is_whole
        await desk.copy.close()

    on_disk(steps())


def test_a_disk_that_is_full_for_each_job_and_mended_after_it_is_told_once_and_as_over_when_that_has_held(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        for number in range(30):
            desk.disk.error = FULL
            await desk.copy.remember("name", str(number))
            desk.disk.error = None
            await asyncio.sleep(3)
            assert desk.copy.is_whole
        # The first trouble and its end, and the second, which goes on.
        assert (len(told(caplog, JournalFailing)), len(told(caplog, JournalRestored))) == (2, 1)
        assert desk.copy.is_in_trouble
        await asyncio.sleep(55)
        assert desk.copy.is_in_trouble
        await asyncio.sleep(5)
        assert not desk.copy.is_in_trouble
        assert (len(told(caplog, JournalFailing)), len(told(caplog, JournalRestored))) == (2, 2)
        await desk.copy.close()
        assert len(told(caplog, JournalRestored)) == 2

    on_disk(steps())


def test_a_worker_that_ends_before_its_mended_disk_has_held_says_that_the_journal_is_complete(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        for number in range(2):
            desk.disk.error = FULL
            await desk.copy.remember("name", str(number))
            desk.disk.error = None
            await asyncio.sleep(3)
        assert len(told(caplog, JournalRestored)) == 1
        await desk.copy.close()
        assert len(told(caplog, JournalRestored)) == 2

    on_disk(steps())


def test_a_slow_disk_is_said_once_and_so_is_that_it_is_fast_again(caplog: pytest.LogCaptureFixture) -> None:
    async def written(desk: Desk, seconds: float) -> None:
        desk.disk.hangs = True
        saving = desk.copy.begin_to_save(desk.claims.add([claim("a")]))
        await asyncio.sleep(seconds)
        desk.disk.answer()
        await saving.wait()

    async def steps() -> None:
        caplog.set_level(logging.INFO)
        desk = Desk()
        await desk.begin()
        for _ in range(WRITES + 4):
            assert len(told(caplog, JournalSlow)) == (elapsed() >= WRITES * 0.2)
            await written(desk, 0.2)
        (slow,) = told(caplog, JournalSlow)
        assert slow["least_seconds"] == pytest.approx(0.2)
        await asyncio.sleep(QUIET_SECONDS)
        assert told(caplog, JournalFast) == []
        await written(desk, 0.001)
        assert told(caplog, JournalFast) == [{"path": str(PATH)}]
        assert len(told(caplog, JournalSlow)) == 1
        await desk.copy.close()

    on_disk(steps())
