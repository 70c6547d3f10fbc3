"""Whoever follows a job gets each of its lines once and in order, or learns how many he was too slow for."""

import asyncio
import json

from ended_jobs_support import log_with, messages

from supervisor.journal.ended_jobs.running_log import RunningLog
from supervisor.log.events.ended_jobs import JobLinesLeftOut
from supervisor.log.events.jobs import LoopResumed
from tests.patience import PATIENCE_SECONDS


def test_a_line_has_the_fields_of_the_workers_json_log() -> None:
    log = RunningLog(lambda: 1700000000.5)
    log.take(30, "job_log", "größer\nals", {"logger": "acme", "fields": {"attempt": 2}})
    log.tell(LoopResumed(job="a", block="b", step=None, seconds=2.0))
    first, second = map(json.loads, log.text().splitlines())
    assert first == {
        "time": "2023-11-14T22:13:20.500+00:00",
        "level": "WARNING",
        "event": "job_log",
        "message": "größer\nals",
        "logger": "acme",
        "fields": {"attempt": 2},
    }
    assert (second["event"], second["seconds"]) == ("loop_resumed", 2.0)
    assert not second.keys() & {"job", "block"}, "what is the same in each line stands elsewhere"
    assert log.last_line == "größer\nals"


def test_half_a_surrogate_pair_is_no_trouble() -> None:
    assert messages(log_with("\ud800").text()) == ["\ud800"]


def test_where_lines_are_missing_a_line_says_how_many() -> None:
    log = log_with(*("x" * 1000 for _ in range(3000)))
    lines = [json.loads(line) for line in log.text().splitlines()]
    (gap,) = (line for line in lines if line["event"] == JobLinesLeftOut.name)
    assert gap["lines"] == 3000 - (len(lines) - 1) > 1000
    assert gap["left_out_bytes"] > gap["lines"] * 1000
    assert lines[0]["event"] == lines[-1]["event"] == "job_log"
    assert len(log.text()) < 2**20 + 1000


async def follow(log: RunningLog) -> list[dict[str, object]]:
    line, seen = 0, []
    while True:
        await log.wait(line)
        portion = log.read(line)
        seen += [json.loads(each) for each in portion.text.splitlines()]
        if portion.next_line == line:
            return seen
        line = portion.next_line


async def test_a_hundred_readers_get_all_lines_and_the_end_and_nothing_is_kept_for_each() -> None:
    log = RunningLog()
    readers = [asyncio.ensure_future(follow(log)) for _ in range(100)]
    for number in range(50):
        log.take(20, "job_log", str(number), {})
        await asyncio.sleep(0)
    log.close()
    for seen in await asyncio.gather(*readers):
        assert [line["message"] for line in seen] == [str(number) for number in range(50)]


async def test_a_slow_reader_misses_lines_and_learns_how_many_while_the_job_goes_on() -> None:
    log = log_with("first")
    portion = log.read(0)
    for number in range(20_000):
        log.take(20, "job_log", f"{number:0100}", {})
    late = log.read(portion.next_line)
    # The first lines are kept: the gap is behind them.
    seen, line = [json.loads(each) for each in late.text.splitlines()], late.next_line
    while line < log.lines.lines:
        portion = log.read(line)
        seen += [json.loads(each) for each in portion.text.splitlines()]
        line = portion.next_line
    gaps = [each["lines"] for each in seen if each["event"] == JobLinesLeftOut.name]
    assert len(gaps) == 1
    assert sum(gaps) + len(seen) - 1 == 20_000
    assert seen[-1]["message"] == f"{19_999:0100}"


async def test_who_waits_for_a_log_that_has_ended_does_not_wait() -> None:
    log = log_with("one")
    log.close()
    await asyncio.wait_for(log.wait(1), PATIENCE_SECONDS)
    assert log.read(1).text == b""
