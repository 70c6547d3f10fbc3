"""Reading the worker's log back: by the format in which `supervisor.log.setup` really writes it."""

import json
import logging
import re
from collections.abc import Callable

import pytest

from supervisor.commands.local.worker_lines import READY, Ended, Line, as_text, read_line
from supervisor.log.event import Event, record_fields, tell
from supervisor.log.events.jobs import JobEnded, JobInterrupted, JobNotRun, JobOutput, JobStarted
from supervisor.log.events.worker import WorkerReady
from supervisor.log.format import JOB_LOG, JsonLine, TextLine
from supervisor.log.setup import start_logging

Captured = pytest.CaptureFixture[str]


JOB = {"job": "j-1", "block": "a/b:1.0.0"}
READY_EVENT = WorkerReady(blocks=1, slots=2, worker='"1" b')


def read_back(capfd: Captured, log: Callable[[], object]) -> list[Line]:
    """What is read of what `log` logs."""
    root = logging.getLogger()
    handlers, level_before = root.handlers[:], root.level
    listener = start_logging(logging.DEBUG, log_format="json")
    try:
        log()
    finally:
        listener.stop()
        root.handlers[:] = handlers
        root.setLevel(level_before)
    return [read_line(line) for line in capfd.readouterr().err.splitlines()]


def said_by_a_block(text: str, level: int = logging.INFO, **extra: object) -> None:
    extra = {"event": JOB_LOG, "facts": JOB, **extra}
    logging.getLogger("job").log(level, "%s", text, extra=extra)


def job_ended(outcome: str, cause: str) -> JobEnded:
    """The end of the job, of which nothing was measured."""
    return JobEnded(
        **JOB, slot=0, pid=1, outcome=outcome, cause=cause, seconds=0.01, limit_seconds=9.0,
        cpu_seconds=None, peak_memory_mb=None,
        exit_code=None,
        signal=None, explanation="",
    )  # fmt: skip


def told(event: Event) -> None:
    """The worker's own word on a job."""
    tell(logging.getLogger("supervisor.worker.dispatch"), event)


def test_a_line_of_a_job_has_its_job_block_and_stream(capfd: Captured) -> None:
    printed = JobOutput(**JOB, step=None, stream="stdout", line="hello: [x] y")
    (line,) = read_back(capfd, lambda: tell(logging.getLogger("job"), printed))
    assert (line.event, line.level, line.facts) == (JobOutput.name, "INFO", {**JOB, "stream": "stdout"})
    assert line.message == "hello: [x] y"


def test_step_logger_and_fields_of_a_block_are_read_as_they_were_logged(capfd: Captured) -> None:
    odd = 'say "x] y'
    facts, fields = {**JOB, "step": odd}, {"device": odd, "count": 3}
    (line,) = read_back(capfd, lambda: said_by_a_block("hello", facts=facts, origin=odd, fields=fields))
    assert (line.event, line.message, line.facts) == (JOB_LOG, "hello", facts)
    assert (line.logger, line.fields) == (odd, fields)


def test_an_event_of_many_lines_is_one(capfd: Captured) -> None:
    (line,) = read_back(capfd, lambda: said_by_a_block("one\n  two", logging.ERROR))
    assert (line.message, line.level, line.fact("job")) == ("one\n  two", "ERROR", "j-1")


def test_what_is_shown_is_what_the_worker_would_have_written_for_people(capfd: Captured) -> None:
    record = logging.makeLogRecord(
        {
            "name": "job",
            "levelname": "WARNING",
            "msg": "one\ntwo\x1b[2J",
            "event": JOB_LOG,
            "facts": {**JOB, "step": "s"},
            "origin": "mine",
            "fields": {"device": "sw 1"},
            "exc_info": (ValueError, ValueError("x"), None),
        }
    )
    assert as_text(read_line(JsonLine().format(record))) == TextLine(indent=True).format(record)


@pytest.mark.parametrize(
    "event", [JobStarted(**JOB, slot=2, pid=77), READY_EVENT], ids=lambda event: event.name
)
def test_an_event_of_the_worker_is_shown_with_the_facts_that_its_message_lacks(event: Event) -> None:
    made = {"name": "supervisor.x", "levelname": "INFO", "msg": event.message, **record_fields(event)}
    record = logging.makeLogRecord(made)
    shown = as_text(read_line(JsonLine().format(record)))
    assert shown == TextLine(indent=True).format(record)
    assert shown.endswith(f"event={event.name}")
    assert (" slot=2 pid=77 " in shown) == (event.name == JobStarted.name)


@pytest.mark.parametrize(
    ("event", "ended"),
    [
        (job_ended("success", "completed"), Ended("j-1", "completed")),
        (job_ended("failed", "time_limit"), Ended("j-1", "time_limit")),
        (
            JobNotRun(**JOB, outcome="failed", cause="quarantined", explanation="it has died"),
            Ended("j-1", "quarantined"),
        ),
        (JobStarted(**JOB, slot=0, pid=1), None),
        (
            JobInterrupted(**JOB, outcome="failed", cause="worker_restarted"),
            Ended("j-1", "worker_restarted"),
        ),
    ],
)
def test_the_worker_s_word_on_a_job_s_end_is_understood(
    capfd: Captured, event: Event, ended: Ended | None
) -> None:
    (line,) = read_back(capfd, lambda: told(event))
    assert line.is_the_worker_s
    assert line.ended == ended


@pytest.mark.parametrize("origin", ["supervisor.worker.dispatch", "", None])
def test_a_block_can_not_speak_in_the_worker_s_name(capfd: Captured, origin: str | None) -> None:
    # Even if it could give its record the event's name, and a fact of it.
    facts = {**JOB, "cause": "completed"}
    (line,) = read_back(
        capfd,
        lambda: said_by_a_block("it has ended", event=JobEnded.name, facts=facts, origin=origin),
    )
    assert (line.ended, line.is_the_worker_s) == (None, False)


@pytest.mark.parametrize(
    ("name", "origin", "ready"),
    [
        ("supervisor.worker.daemon", None, True),
        ("job", "supervisor.worker.daemon", False),
        ("job", None, False),
    ],
)
def test_only_the_worker_says_that_it_is_ready(name: str, origin: str | None, ready: bool) -> None:
    said = {"name": name, "levelname": "INFO", "msg": READY_EVENT.message, "origin": origin}
    record = logging.makeLogRecord(said | record_fields(READY_EVENT))
    match = re.search(READY, JsonLine().format(record))
    assert (match is not None) == ready
    assert match is None or json.loads(match["text"]) == READY_EVENT.message


def test_what_is_no_line_of_the_log_is_kept_as_it_is() -> None:
    line = read_line("supervisor: 3 process(es) were killed.")
    assert (line.message, line.facts, line.time) == ("supervisor: 3 process(es) were killed.", {}, "")
