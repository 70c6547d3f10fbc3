"""Reading the worker's log back: by the format in which `supervisor.log.setup` really writes it."""

import json
import logging
import re

import pytest

from supervisor.commands.local.worker_lines import READY, Ended, Line, as_text, read_line
from supervisor.log.format import JsonLine, TextLine
from supervisor.log.setup import start_logging

Captured = pytest.CaptureFixture[str]


def read_back(capsys: Captured, name: str, level: int, text: str, **extra: object) -> list[Line]:
    root = logging.getLogger()
    handlers, level_before = root.handlers[:], root.level
    listener = start_logging(logging.DEBUG, log_format="json")
    try:
        logging.getLogger(name).log(level, "%s", text, extra=extra)
    finally:
        listener.stop()
        root.handlers[:] = handlers
        root.setLevel(level_before)
    return [read_line(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_of_a_job_has_its_job_block_and_stream(capsys: Captured) -> None:
    (line,) = read_back(
        capsys, "job", logging.WARNING, "hello: [x] y", job="j-1", block="a/b:1.0.0", stream="stdout"
    )
    assert (line.job, line.block, line.stream, line.level) == ("j-1", "a/b:1.0.0", "stdout", "WARNING")
    assert line.text == "hello: [x] y"


def test_step_logger_and_fields_of_a_block_are_read_as_they_were_logged(capsys: Captured) -> None:
    odd = 'say "x] y'
    (line,) = read_back(
        capsys,
        "job",
        logging.INFO,
        "hello",
        job="j-1",
        block="a/b:1.0.0",
        step=odd,
        origin=odd,
        fields={"device": odd, "count": 3},
    )
    assert (line.job, line.block, line.text) == ("j-1", "a/b:1.0.0", "hello")
    assert (line.step, line.logger, line.fields) == (odd, odd, {"device": odd, "count": 3})


def test_an_event_of_many_lines_is_one(capsys: Captured) -> None:
    (line,) = read_back(capsys, "job", logging.ERROR, "one\n  two", job="j-1", block="a/b:1.0.0")
    assert (line.text, line.job) == ("one\n  two", "j-1")


def test_what_is_shown_is_what_the_worker_would_have_written_for_people(capsys: Captured) -> None:
    record = logging.makeLogRecord(
        {
            "name": "job",
            "levelname": "WARNING",
            "msg": "one\ntwo\x1b[2J",
            "job": "j-1",
            "block": "a/b:1.0.0",
            "step": "s",
            "origin": "mine",
            "fields": {"device": "sw 1"},
            "exc_info": (ValueError, ValueError("x"), None),
        }
    )
    assert as_text(read_line(JsonLine().format(record))) == TextLine(indent=True).format(record)


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("Job j-1: success (completed) after 0.01 s.", Ended("j-1", "completed")),
        ("Job j-1: failed (time_limit) after 9.00 s.", Ended("j-1", "time_limit")),
        ("Job j-1 is not run (quarantined): it has died", Ended("j-1", "quarantined")),
        ("Job j-1 starts.", None),
    ],
)
def test_the_worker_s_word_on_a_job_s_end_is_understood(
    capsys: Captured, text: str, ended: Ended | None
) -> None:
    (line,) = read_back(
        capsys, "supervisor.worker.dispatch", logging.INFO, text, job="j-1", block="a/b:1.0.0"
    )
    assert line.ended == ended


@pytest.mark.parametrize("origin", ["supervisor.worker.dispatch", "", None])
def test_a_block_can_not_speak_in_the_worker_s_name(capsys: Captured, origin: str | None) -> None:
    (line,) = read_back(
        capsys,
        "job",
        logging.INFO,
        "Job j: success (completed) after 1 s.",
        job="j",
        block="b",
        origin=origin,
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
    fields = {"name": name, "levelname": "INFO", "msg": 'The worker is ready: "1" b', "origin": origin}
    match = re.search(READY, JsonLine().format(logging.makeLogRecord(fields)))
    assert (match is not None) == ready
    assert match is None or json.loads(match["text"]) == 'The worker is ready: "1" b'


def test_what_is_no_line_of_the_log_is_kept_as_it_is() -> None:
    line = read_line("supervisor: 3 process(es) were killed.")
    assert (line.text, line.job, line.time) == ("supervisor: 3 process(es) were killed.", "", "")
