"""The catalogue of events: each has a name, facts that programs can read, and a place in the reference."""

import ast
import json
import logging
import re
import string
import typing
from pathlib import Path

import pytest

from supervisor.log.catalogue import all_events
from supervisor.log.event import Event, tell
from supervisor.log.events.jobs import JobEnded, JobOutput, JobStarted
from supervisor.log.events.processes import CgroupsFound
from supervisor.log.format import JsonLine, TextLine

ROOT = Path(__file__).parents[3]
RESERVED = {"time", "level", "logger", "event", "message", "fields", "traceback"}
EVENTS = pytest.mark.parametrize("event", all_events(), ids=lambda event: event.name)


def named_in(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def test_each_event_has_a_name_of_its_own() -> None:
    names = [event.name for event in all_events()]
    assert len(names) == len(set(names)) > 60
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


@EVENTS
def test_a_sentence_names_only_facts_that_are_always_there(event: type[Event]) -> None:
    facts = typing.get_type_hints(event)
    always = {name for name, kind in facts.items() if type(None) not in typing.get_args(kind)}
    assert named_in(event.text) <= always


@EVENTS
def test_no_fact_has_the_name_of_a_key_of_each_line(event: type[Event]) -> None:
    assert not event.__annotations__.keys() & RESERVED


@EVENTS
def test_each_event_says_what_it_means(event: type[Event]) -> None:
    assert (event.__doc__ or "").strip().endswith(".")


@EVENTS
def test_each_event_is_in_the_reference(event: type[Event]) -> None:
    reference = (ROOT / "docs/reference/events.md").read_text()
    assert f"### `{event.name}` " in reference
    assert event.text.replace("\\n", "\n") in reference


def test_the_worker_logs_nothing_but_events() -> None:
    """A line that is none has no name and no facts, and a program could only read its words."""
    words = {"debug", "info", "warning", "error", "critical", "exception", "log"}
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in (ROOT / "supervisor").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in words
        and "log" in ast.unparse(node.func.value).lower()
    ]
    assert [place.partition(":")[0] for place in found] == ["supervisor/log/event.py"]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> typing.Callable[[Event], logging.LogRecord]:
    caplog.set_level(logging.DEBUG)

    def log(event: Event) -> logging.LogRecord:
        tell(logging.getLogger("supervisor.test"), event)
        return caplog.records[-1]

    return log


STARTED = JobStarted(job="j1", block="p/b:1.0.0", slot=2, pid=77)


def test_a_line_of_json_has_the_facts_beside_the_event_and_the_message(
    logged: typing.Callable[[Event], logging.LogRecord],
) -> None:
    line = json.loads(JsonLine().format(logged(STARTED)))
    assert line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "supervisor.test",
        "event": "job_started",
        "message": "The job starts.",
        "job": "j1",
        "block": "p/b:1.0.0",
        "slot": 2,
        "pid": 77,
    }


def test_a_line_of_text_has_the_facts_that_its_message_lacks_and_the_name(
    logged: typing.Callable[[Event], logging.LogRecord],
) -> None:
    text = TextLine(indent=False).format(logged(STARTED))
    assert text.endswith("[job=j1 block=p/b:1.0.0] The job starts. slot=2 pid=77 event=job_started")
    text = TextLine(indent=False).format(logged(CgroupsFound(cgroups="kill, memory (v2)", consequence="")))
    assert text.endswith("supervisor.test: Cgroups for each job: kill, memory (v2). event=cgroups_found")


def test_a_fact_that_is_not_known_is_left_out_and_numbers_are_rounded(
    logged: typing.Callable[[Event], logging.LogRecord],
) -> None:
    ended = JobEnded(
        job="j1", block="p/b:1", slot=0, pid=None, outcome="failed", cause="start_failed", seconds=0.123456,
        limit_seconds=600.0, cpu_seconds=None, peak_memory_mb=None, exit_code=None, signal=None,
        explanation="Not run: no process is left.",
    )  # fmt: skip
    line = json.loads(JsonLine().format(logged(ended)))
    assert line["seconds"] == 0.123
    assert not line.keys() & {"pid", "cpu_seconds", "peak_memory_mb"}
    assert (
        line["message"] == "The job ended: failed (start_failed) after 0.12 s. Not run: no process is left."
    )


def test_a_printed_line_is_passed_on_as_it_is_and_a_sentence_has_no_blank_at_its_end() -> None:
    printed = JobOutput(job="j1", block="p/b:1", step=None, stream="stdout", line="  in a column   ")
    assert printed.message == "  in a column   "
    assert CgroupsFound(cgroups="kill", consequence="").message == "Cgroups for each job: kill."


def test_a_printed_line_is_in_the_log_once(logged: typing.Callable[[Event], logging.LogRecord]) -> None:
    printed = JobOutput(job="j1", block="p/b:1", step=None, stream="stderr", line="{not: a place}")
    for line in (JsonLine().format(logged(printed)), TextLine(indent=False).format(logged(printed))):
        assert line.count("not: a place") == 1
