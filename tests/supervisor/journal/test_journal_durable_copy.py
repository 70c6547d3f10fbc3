"""The file as a copy of what is in memory: what is written, when it is tried again, and what is said meanwhile."""

import asyncio
import logging

import pytest
from journal_support import claim
from played_disk import DAMAGED, DENIED, EARLIER, FULL, PATH, Desk, on_disk, said

from supervisor.errors import StateDirectoryError
from supervisor.journal.durable_copy import MEND_SECONDS
from supervisor.journal.records import Entry
from supervisor.journal.removals import REMOVE_SECONDS
from supervisor.journal.row import Row
from supervisor.journal.rows import Loaded
from supervisor.log.events.results import JournalReplaced, ResultDamaged, ResultsLost
from tests.log_events import told
from tests.simulated_time import elapsed, turns


def test_what_is_saved_together_is_one_write_and_what_is_over_is_removed() -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        rows = desk.claims.add([claim("a"), claim("b")])
        assert not desk.copy.is_whole
        await desk.copy.save(rows)
        assert desk.copy.is_whole
        desk.claims.forget(1)
        await desk.copy.save(rows[:1])
        assert desk.disk.done == [("open",), ("save", (1, "a"), (2, "b")), ("remove", 1)]
        assert desk.copy.is_whole
        await desk.copy.save([])
        await desk.copy.close()
        assert len(desk.disk.done) == 3

    on_disk(steps())


def test_what_is_over_leaves_the_file_with_the_next_write_or_a_moment_later_without_one() -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        rows = desk.claims.add([claim("a"), claim("b"), claim("c"), claim("d")])
        await desk.copy.save(rows)
        desk.disk.done.clear()
        desk.copy.removals.add(_forgotten(desk, 1))
        desk.copy.removals.add(_forgotten(desk, 2))
        assert desk.disk.done == []
        assert desk.copy.is_whole  # nothing that is open is missing
        await desk.copy.save(desk.claims.add([claim("e")]))
        assert desk.disk.done == [("remove", 1), ("remove", 2), ("save", (5, "e"))]
        desk.copy.removals.add(_forgotten(desk, 3))
        await asyncio.sleep(REMOVE_SECONDS)
        await turns()
        assert desk.disk.done[3:] == [("remove", 3)]
        desk.copy.removals.add(_forgotten(desk, 4))
        await desk.copy.close()
        assert ("remove", 4) in desk.disk.done[4:]
        assert len(desk.claims.unsaved()) == 0

    on_disk(steps())


def test_what_is_over_is_not_removed_from_a_file_that_was_taken_away() -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        await desk.copy.save(desk.claims.add([claim("a"), claim("b")]))
        desk.copy.removals.add(_forgotten(desk, 1))
        desk.copy.file_was_taken_away()
        await asyncio.sleep(MEND_SECONDS)
        assert desk.copy.is_whole
        assert desk.disk.asked("remove") == []
        assert desk.disk.asked("save") == [((1, "a"), (2, "b")), ((2, "b"),)]
        await desk.copy.close()

    on_disk(steps())


def _forgotten(desk: Desk, number: int) -> Row:
    row = desk.claims.forget(number)
    assert row is not None
    return row


def test_facts_are_whole_when_the_value_that_was_set_last_is_written() -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.hangs = True
        first = asyncio.ensure_future(desk.copy.remember("name", "one"))
        second = asyncio.ensure_future(desk.copy.remember("other", "one"))
        await turns()
        desk.copy.facts["name"] = "two"
        desk.disk.answer()
        await asyncio.gather(first, second)
        assert desk.disk.asked("fact") == [("name", "one"), ("other", "one")]
        assert not desk.copy.is_whole
        await desk.copy.remember("name", "two")
        assert desk.copy.is_whole
        await desk.copy.close()

    on_disk(steps())


def test_a_damaged_file_of_an_earlier_run_gives_what_can_be_read_of_it_before_anything_starts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        desk.disk.open_error, desk.disk.salvaged = DAMAGED, EARLIER
        await desk.begin()
        assert elapsed() == 0
        assert desk.copy.facts == {"worker_uuid": "w-1"}
        assert desk.claims.job_ids() == {"earlier", "running"}
        assert desk.found == 1
        assert desk.copy.is_whole
        assert [what[0] for what in desk.disk.done] == ["open", "move aside", "open", "save", "save", "fact"]
        assert "2 claim(s)" in told(caplog, JournalReplaced)[0]["salvaged"]
        await desk.copy.close()

    on_disk(steps())


@pytest.mark.parametrize("error", [DENIED, StateDirectoryError("of a newer version")])
def test_a_worker_does_not_start_with_a_file_that_it_may_not_use(error: Exception) -> None:
    async def steps() -> None:
        desk = Desk()
        desk.disk.open_error = error
        with pytest.raises(StateDirectoryError) as caught:
            await desk.begin()
        if error is DENIED:
            assert f"{PATH} can't be opened: {DENIED}" in str(caught.value)
            assert "--state-dir" in str(caught.value)
        await turns()
        assert desk.disk.done == [("open",)]

    on_disk(steps())


def test_a_start_on_a_full_disk_works_in_memory_and_takes_in_the_past_when_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        desk.disk.open_error = FULL
        await desk.begin()
        await desk.copy.save(desk.claims.add([claim("running"), claim("x"), claim("y")]))
        await desk.copy.remember("name", "value")
        assert desk.disk.done == [("open",)]
        assert not desk.copy.read.is_set()
        desk.disk.open_error, desk.disk.holds = None, EARLIER
        await asyncio.sleep(2)
        await turns(60)
        assert desk.copy.read.is_set()
        # The earlier claim keeps its result under a new number; the running one was claimed again by this run.
        assert desk.claims.job_ids() == {"running", "x", "y", "earlier"}
        assert desk.copy.facts == {"name": "value", "worker_uuid": "w-1"}
        assert desk.found == 1
        assert desk.disk.done[1] == ("open",)
        # First as they are now, then no more as they were.
        assert desk.disk.done[2:5] == [("save", (10, "earlier")), ("remove", 3), ("remove", 5)]
        assert set(desk.disk.done[5:]) == {
            ("save", (1, "running")), ("save", (2, "x")), ("save", (3, "y")), ("fact", "name", "value"),
        }  # fmt: skip
        assert desk.copy.is_whole
        (row,) = desk.claims.add([claim("later")])
        assert row.entry.number == 11
        await desk.copy.close()

    on_disk(steps())


def test_numbers_that_a_file_has_given_are_not_given_again() -> None:
    async def steps() -> None:
        desk = Desk()
        desk.disk.holds = Loaded(highest=41)
        await desk.begin()
        (row,) = desk.claims.add([claim("a")])
        assert row.entry.number == 42
        assert desk.found == 0  # nothing was
        await desk.copy.save([row])
        # Of a file that was opened anew, too: another may have used it meanwhile.
        desk.disk.holds = Loaded(highest=99, entries=[Entry(98, claim("stranger"))])
        desk.copy.file_was_taken_away()
        await turns(60)
        assert desk.claims.job_ids() == {"a"}  # memory knows better than any file
        assert desk.claims.add([claim("b")])[0].entry.number == 100
        await desk.copy.close()

    on_disk(steps())


def test_a_file_that_takes_more_than_a_minute_to_open_is_a_disk_that_does_not_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        desk.disk.hangs_at_opening = True
        await desk.begin()
        assert elapsed() == 60
        assert "does not answer" in said(caplog)[0]
        desk.disk.hangs_at_opening = False
        await asyncio.sleep(3)
        assert desk.copy.is_whole
        await desk.copy.close()

    on_disk(steps())


def test_closing_tries_once_more_and_names_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.error = FULL
        for number, row in enumerate(desk.claims.add([claim("a"), claim("b"), claim("c")]), 1):
            if number < 3:
                desk.claims.finish(number, b"{}", 1.0)
            await desk.copy.save([row])
        await desk.copy.close()
        assert len(desk.disk.asked("save")) == 6
        assert told(caplog, ResultsLost) == [{"results": 2, "path": str(PATH)}]
        await asyncio.sleep(100)
        assert len(desk.disk.asked("save")) == 6

    on_disk(steps())


def test_closing_writes_what_the_disk_takes_by_then_and_leaves_no_timer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        await desk.begin()
        desk.disk.error = FULL
        await desk.copy.save(desk.claims.add([claim("a")]))
        desk.disk.error = None
        await desk.copy.close()
        assert desk.copy.is_whole
        assert said(caplog, logging.CRITICAL) == []
        loop = asyncio.get_running_loop()
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []  # type: ignore[attr-defined]

    on_disk(steps())


def test_a_damaged_result_of_an_earlier_run_is_said_and_written_as_it_is_now(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps() -> None:
        desk = Desk()
        dead = Entry(7, claim("dead"), b"{", 1.0, "damaged")
        desk.disk.holds = Loaded(entries=[dead, Entry(8, claim("good"))], repaired={7}, highest=8)
        await desk.begin()
        assert told(caplog, ResultDamaged) == [{"claim": 7}]
        assert [row.entry.number for row in desk.claims.unsaved()] == [7]
        await desk.copy.close()
        assert desk.disk.asked("save") == [((7, "dead"),)]

    on_disk(steps())
