"""The worker's log: one event is one line, for people or as JSON, with all that is known of it."""

import asyncio
import json
import logging
import re
import sys
from typing import Any

import pytest

from jobrunner.protocol.masking import Mask
from jobrunner.protocol.messages import Log
from supervisor.log.format import JOB_LOG, JsonLine, TextLine, printable_json
from supervisor.log.setup import set_level, start_logging
from supervisor.watch.joblog import JobLog


def record(message: str, **extra: Any) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "job", "levelno": 30, "levelname": "WARNING", "msg": message, "created": 0.0, **extra}
    )


JOB = {"job": "j1", "block": "p/b:1.0.0", "step": "step 2", "stream": "stdout"}


def test_a_line_of_text_says_of_which_job_step_and_logger_it_is_and_shows_the_fields() -> None:
    fields = {"port": 22, "name": "a b", "none": None}
    text = TextLine(indent=False).format(
        record("up: yes", facts=JOB, event=JOB_LOG, origin="netmiko", fields=fields)
    )
    label = '[job=j1 block=p/b:1.0.0 step="step 2" stdout logger=netmiko]'
    assert text.endswith(f'WARNING job: {label} up: yes port=22 name="a b" none=null')


def test_a_line_of_json_has_the_same_and_the_time_with_its_zone() -> None:
    fields = {"port": 22, "job": "of the author"}
    line = json.loads(
        JsonLine().format(record("up", facts=JOB, event=JOB_LOG, origin="netmiko", fields=fields))
    )
    assert line == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "WARNING",
        "logger": "netmiko",
        "event": "job_log",
        "message": "up",
        **JOB,
        "fields": fields,
    }
    plain = json.loads(JsonLine().format(record("up")))
    assert set(plain) == {"time", "level", "logger", "event", "message"}
    assert plain["event"] == "log"


@pytest.mark.parametrize("formatter", [TextLine(indent=False), JsonLine()], ids=["text", "json"])
def test_one_event_is_one_line_whatever_is_in_it(formatter: logging.Formatter) -> None:
    try:
        {}["lost"]
    except KeyError:
        failure = sys.exc_info()
    line = formatter.format(record("one\ntwo\r\x1b[2J", facts=JOB, fields={"a\nb": "c\nd"}, exc_info=failure))
    assert "\n" not in line
    assert "\x1b" not in line
    assert "two" in line
    assert "KeyError: 'lost'" in line


def test_on_a_terminal_further_lines_stand_below_the_first() -> None:
    assert TextLine(indent=True).format(record("one\ntwo")).endswith("job: one\n    two")


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("auto", True), ("text", False)])
def test_where_nobody_looks_on_auto_is_json(
    log_format: Any, is_json: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        listener = start_logging(logging.INFO, {}, log_format)
        said = Log(level=10, logger="deep", text="say swordfish-7", created=0.0, fields={"pwd": "x"})
        asyncio.run(JobLog("j1", "p/b:1.0.0", Mask(["swordfish-7"]), "s1").record(said))
        listener.stop()
    finally:
        root.handlers[:] = handlers
        set_level(level, {})
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("{") == is_json
    assert "say ***" in line
    assert "pwd=***" in line or json.loads(line)["fields"] == {"pwd": "***"}


def test_levels_of_single_loggers_end_with_the_reload_that_no_longer_has_them() -> None:
    level = logging.getLogger().level
    inner = logging.getLogger("levels.of.a.test")
    try:
        set_level(logging.INFO, {"levels.of": logging.DEBUG, "aiohttp": logging.DEBUG})
        assert inner.isEnabledFor(logging.DEBUG)
        assert logging.getLogger("aiohttp").isEnabledFor(logging.DEBUG)
        set_level(logging.INFO, {})
        assert not inner.isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("aiohttp").isEnabledFor(logging.INFO)
    finally:
        set_level(level, {})


def test_long_lines_use_up_what_a_job_may_log_as_several_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each character costs the loop time: the heartbeat must not be late for it."""
    monkeypatch.setattr("supervisor.watch.joblog.time.monotonic", lambda: 0.0)
    log = JobLog("j1", "p/b:1.0.0", Mask())
    count = 0
    while log.is_open:
        log.printed("stdout", "x" * 8192)
        count += 1
    assert count == 2000 / 8


@pytest.mark.parametrize(
    "hidden",
    ["\u202e", "\u2066", "\u200b", "\u200d", "\u061c", "\ufeff", "\xad", "\u2028", "\U000e0041", "\ud800"],
)
def test_what_can_t_be_seen_or_turns_a_line_round_is_shown_as_an_escape(hidden: str) -> None:
    line = TextLine(indent=False).format(record(f"a{hidden}b"))
    assert hidden not in line
    assert re.search(r"a\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})b", line)


@pytest.mark.parametrize("hidden", ["\u202e", "\u200f", "\u2066", "\u061c", "\x9b", "\U000e0041"])
def test_json_has_what_can_t_be_seen_as_it_is_and_written_as_an_escape(hidden: str) -> None:
    """Programs read what the job has said; who looks at the line sees that something is there."""
    line = JsonLine().format(record(f"ä{hidden}b"))
    shown = printable_json(json.dumps({"message": f"ä{hidden}b"}, ensure_ascii=False))
    for text in (line, shown):
        assert hidden not in text
        assert json.loads(text)["message"] == f"ä{hidden}b"
    assert "ä" in shown
