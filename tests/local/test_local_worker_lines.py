"""Reading the worker's log back: by the format in which `supervisor.logs` really writes it."""

import logging

import pytest

from supervisor.local.worker_lines import Ended, Line, Reader
from supervisor.logs import start_logging

Captured = pytest.CaptureFixture[str]


def read_back(capsys: Captured, name: str, level: int, text: str, **extra: str) -> list[Line]:
    root = logging.getLogger()
    handlers, level_before = root.handlers[:], root.level
    listener = start_logging(logging.DEBUG, log_format="indented")
    try:
        logging.getLogger(name).log(level, "%s", text, extra=extra)
    finally:
        listener.stop()
        root.handlers[:] = handlers
        root.setLevel(level_before)
    reader = Reader()
    return [reader.read(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_of_a_job_has_its_job_block_and_stream(capsys: Captured) -> None:
    (line,) = read_back(
        capsys, "job", logging.WARNING, "hello: [x] y", job="j-1", block="a/b:1.0.0", stream="stdout"
    )
    assert (line.job, line.block, line.stream, line.level) == ("j-1", "a/b:1.0.0", "stdout", "WARNING")
    assert (line.text, line.continued, line.raw[-12:]) == ("hello: [x] y", False, "hello: [x] y")


def test_a_line_with_the_step_and_the_logger_of_a_block_is_read_as_well(capsys: Captured) -> None:
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
        stream="stderr",
    )
    assert (line.job, line.block, line.stream, line.text) == ("j-1", "a/b:1.0.0", "stderr", "hello")


def test_further_lines_of_a_record_belong_to_its_job(capsys: Captured) -> None:
    lines = read_back(capsys, "job", logging.ERROR, "one\n  two", job="j-1", block="a/b:1.0.0")
    assert [(line.text, line.job, line.continued) for line in lines] == [
        ("one", "j-1", False),
        ("  two", "j-1", True),
    ]


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
    (line,) = read_back(capsys, "supervisor.dispatch", logging.INFO, text, job="j-1", block="a/b:1.0.0")
    assert line.ended == ended


def test_a_block_can_not_speak_in_the_worker_s_name(capsys: Captured) -> None:
    lines = read_back(
        capsys,
        "job",
        logging.INFO,
        "The worker is ready: 1\nJob j: success (completed) after 1 s.",
        job="j",
        block="b",
    )
    assert [(line.says_ready, line.ended) for line in lines] == [(False, None)] * 2


def test_what_is_no_line_of_the_log_is_kept_as_it_is() -> None:
    line = Reader().read("supervisor: 3 process(es) were killed.")
    assert (line.text, line.job, line.time) == ("supervisor: 3 process(es) were killed.", "", "")
