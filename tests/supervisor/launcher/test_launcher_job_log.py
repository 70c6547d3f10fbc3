"""The log of a job: labelled, masked, and limited in rate for each job by itself."""

import logging
from collections.abc import Iterator

import pytest

from jobrunner.protocol.masking import Mask
from jobrunner.protocol.messages import Log
from supervisor.log.events.jobs import JobLinesDropped, JobOutput
from supervisor.log.format import JOB_LOG
from supervisor.watch import joblog as joblog_module
from supervisor.watch.joblog import BURST_LINES, JobLog
from tests.log_events import facts_of


class Recorder(logging.Handler):
    """Keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    logs = [logging.getLogger(name) for name in ("job", joblog_module.__name__)]
    levels = [log.level for log in logs]
    for log in logs:
        log.addHandler(recorder)
        log.setLevel(1)
    yield recorder
    for log, level in zip(logs, levels, strict=True):
        log.setLevel(level)
        log.removeHandler(recorder)


def job_log(job_id: str = "j1") -> JobLog:
    return JobLog(job_id, "p/b:1.0.0", Mask(["hush-hush"]))


async def test_each_line_carries_its_job_and_block(recorder: Recorder) -> None:
    log = job_log()
    await log.record(Log(level=logging.ERROR, logger="block", text="broken", created=0))
    log.printed("stderr", "printed")
    first, second = recorder.records
    whose = {"job": "j1", "block": "p/b:1.0.0"}
    assert (first.event, first.levelno, facts_of(first)) == (JOB_LOG, logging.ERROR, whose)
    assert (second.event, facts_of(second)) == (JobOutput.name, {**whose, "stream": "stderr"})
    assert second.getMessage() == "printed"


def test_a_percent_sign_of_the_block_is_text(recorder: Recorder) -> None:
    job_log().printed("stdout", "100 % %s %d")
    assert recorder.records[0].getMessage() == "100 % %s %d"


async def test_secrets_are_masked_in_records_and_in_what_is_printed(recorder: Recorder) -> None:
    log = job_log()
    await log.record(Log(level=20, logger="block", text="say hush-hush", created=0))
    log.printed("stdout", "hush-hush hush-hush")
    assert [record.getMessage() for record in recorder.records] == ["say ***", "*** ***"]


def test_lines_beyond_the_burst_are_dropped_counted_and_told(recorder: Recorder) -> None:
    log = job_log()
    for number in range(BURST_LINES + 500):
        log.printed("stdout", f"line {number}")
    log.close()
    lines = [record for record in recorder.records if record.event == JobOutput.name]
    told = [record for record in recorder.records if record.event == JobLinesDropped.name]
    assert BURST_LINES <= len(lines) < BURST_LINES + 500
    assert sum(facts_of(record)["lines"] for record in told) == BURST_LINES + 500 - len(lines)
    assert {record.levelno for record in told} == {logging.WARNING}


def test_one_job_s_flood_takes_nothing_from_another(recorder: Recorder) -> None:
    flooding, quiet = job_log("loud"), job_log("quiet")
    for _ in range(BURST_LINES + 10):
        flooding.printed("stdout", "x")
    quiet.printed("stdout", "still heard")
    assert recorder.records[-1].getMessage() == "still heard"
