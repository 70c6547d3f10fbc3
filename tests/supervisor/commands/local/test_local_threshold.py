"""`local` and `dev` show what a daemon with the same settings of its log would have written."""

import logging
import sys
from io import StringIO

import pytest

from supervisor.commands.daemon import heard_by_a_command
from supervisor.commands.local.display import PlainDisplay, display_for
from supervisor.commands.local.threshold import Threshold
from supervisor.commands.local.worker_lines import Line, read_line
from supervisor.log.format import JsonLine, TextLine
from supervisor.settings.command_line import parse
from supervisor.settings.marks import AT_LEAST_INFO_VARIABLE
from supervisor.settings.run_settings import DaemonSettings

DAEMON = ["--engine-url", "http://engine"]


def record(level: int, logger: str, text: str = "one\ntwo") -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": logger, "levelno": level, "levelname": logging.getLevelName(level), "msg": text}
    )


def line(level: int, logger: str) -> Line:
    return read_line(JsonLine().format(record(level, logger)))


@pytest.mark.parametrize(
    ("level", "logger", "shown"),
    [
        (logging.INFO, "greet", False),
        (logging.WARNING, "greet", True),
        (logging.DEBUG, "netmiko.base", True),
        (logging.DEBUG, "netmikoo", False),
        (logging.WARNING, "paramiko.transport", False),
        (logging.ERROR, "paramiko.transport", True),
    ],
)
def test_a_line_is_shown_by_the_level_of_the_nearest_logger_that_has_one(
    level: int, logger: str, shown: bool
) -> None:
    levels = {"netmiko": logging.DEBUG, "paramiko": logging.CRITICAL, "paramiko.transport": logging.ERROR}
    assert Threshold(logging.WARNING, levels).lets_through(line(level, logger)) == shown


def test_the_last_words_of_a_worker_that_dies_are_shown_at_any_level() -> None:
    assert Threshold(logging.CRITICAL).lets_through(read_line("Traceback (most recent call last):"))


@pytest.mark.parametrize("log_format", ["text", "indented", "json", "auto"])
def test_the_format_that_is_asked_for_is_the_one_that_is_written(
    log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    given = record(logging.INFO, "greet")
    settings = parse(DaemonSettings, [*DAEMON, "--log-format", log_format], "program")
    display = display_for(as_json=False, program="p", threshold=Threshold(0), log_format=settings.log_format)
    display.line(read_line(JsonLine().format(given)))
    as_json = log_format in ("json", "auto")  # this is no terminal
    formatter = JsonLine() if as_json else TextLine(indent=log_format == "indented")
    assert written.getvalue() == formatter.format(given) + "\n"


def test_a_format_that_is_asked_for_goes_before_what_a_terminal_would_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert isinstance(
        display_for(as_json=False, program="p", threshold=Threshold(0), log_format="json"), PlainDisplay
    )
    assert not isinstance(display_for(as_json=False, program="p", threshold=Threshold(0)), PlainDisplay)


def test_a_worker_that_a_command_reads_says_all_that_the_command_looks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = [*DAEMON, "--log-level", "error", "--log-levels", "supervisor.worker=error,netmiko=error"]
    assert heard_by_a_command(parse(DaemonSettings, given, "program")).log_level == "error"
    monkeypatch.setenv(AT_LEAST_INFO_VARIABLE, "1")
    heard = heard_by_a_command(parse(DaemonSettings, given, "program"))
    assert heard.log_level == "info"
    assert heard.log_level_numbers == {"supervisor.worker": logging.INFO, "netmiko": logging.ERROR}
    assert (
        heard_by_a_command(parse(DaemonSettings, [*DAEMON, "--log-level", "debug"], "program")).log_level
        == "debug"
    )
