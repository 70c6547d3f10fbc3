"""What a block logs and prints: all of it is passed on, whatever it is, within a rate, and without secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
from hosting import Host, hosted, told

from supervisor.log.events.jobs import JobLinesDropped, JobOutput
from supervisor.log.format import JOB_LOG
from tests.patience import PATIENCE_SECONDS

BURST_LINES = 2000


def texts(done: dict[str, Any], stream: str | None) -> list[str]:
    return [line["text"] for line in done["lines"] if line["stream"] == stream]


def test_output_that_is_not_utf_8_is_shown_with_escapes(host: Host) -> None:
    done = host.run("invalid_utf8")
    assert done["cause"] == "completed"
    for stream in ("stdout", "stderr"):
        first, odd, last = texts(done, stream)
        assert (first, last) == ("before", "after")
        assert "\\xff\\xfe" in odd


@pytest.mark.parametrize("stream", ["stdout", "stderr", "log"])
def test_a_flood_is_cut_to_its_rate_and_says_how_much_was_dropped(host: Host, stream: str) -> None:
    done = host.run("output_flood", {"mb": 4, "stream": stream})
    assert done["cause"] == "completed"
    passed = [line for line in done["lines"] if line["text"].startswith("xxx")]
    assert BURST_LINES <= len(passed) < 3 * BURST_LINES
    assert {line["event"] for line in passed} == {JOB_LOG if stream == "log" else JobOutput.name}
    dropped = told(done, JobLinesDropped)
    assert {event["level"] for event in dropped} == {"WARNING"}
    assert len(passed) + sum(event["lines"] for event in dropped) == 4 << 13


def test_a_log_record_arrives_with_its_level_and_without_a_stream(host: Host) -> None:
    done = host.run("raise_error")
    (line,) = [line for line in done["lines"] if line["level"] == "ERROR"]
    assert (line["event"], line["stream"]) == (JOB_LOG, None)
    assert "ValueError" in line["text"]
    assert "Traceback" in line["text"]


def test_text_that_no_encoding_can_hold_is_escaped_in_the_log_and_does_not_harm_the_result(
    host: Host,
) -> None:
    done = host.run("under_test/stray_text")
    assert done["cause"] == "completed"
    assert texts(done, "stdout") == ["printed caf\\udce9"]
    assert texts(done, None) == ["logged caf\\udce9"]
    assert texts(done, "stderr") == []


def test_a_secret_is_masked_wherever_the_block_tells_it(host: Host) -> None:
    secret, password = "swordfish-7-red", "c0rrect-h0rse"
    device = {"id": 1, "hostname": "r1", "ip": "192.0.2.1", "username": "u", "password": password}
    context = {"devices": [device], "deviceGroups": [], "interfaces": []}
    parameters = {"secret": secret}
    done = host.run("secret_in_error", parameters, run_on="device", entity_id=1, context=context)
    assert done["cause"] == "block_raised"
    whole = json.dumps(done)
    assert secret not in whole
    assert password not in whole
    assert "***" in done["message"]
    assert all("***" in "".join(texts(done, stream)) for stream in (None, "stdout", "stderr"))


def test_the_last_output_of_a_crash_is_in_its_message(host: Host) -> None:
    done = host.run("under_test/prints_and_dies", {"text": "opening the vault"})
    assert done["cause"] == "crashed"
    assert "opening the vault" in done["message"]


ENDS = {"abort": "crashed", "exit": "exited", "fault": "crashed", "limit": "time_limit"}


@pytest.mark.parametrize("end", ENDS)
def test_an_unfinished_line_is_not_lost_however_the_child_dies(host: Host, end: str) -> None:
    # Its own end, or its line, comes before its limit also where it must wait for a processor.
    limits = {"max_job_seconds": 3.0 if end == "limit" else PATIENCE_SECONDS, "grace_seconds": 0.0}
    done = host.run("under_test/prints_unfinished", {"text": end}, limits=limits)
    assert done["cause"] == ENDS[end], done["message"]
    assert texts(done, "stdout") == ["connecting ... to r1"]
    assert texts(done, "stderr") == ["still connecting"]
    assert "still connecting" in done["message"]


def test_what_a_block_leaves_in_a_stream_of_its_own_is_not_lost(host: Host) -> None:
    done = host.run("under_test/prints_through_its_own_stream")
    assert texts(done, "stdout") == ["kept back"]


def test_the_lines_that_two_threads_print_seldom_mix(host: Host) -> None:
    done = host.run("under_test/prints_in_threads")
    whole = {f"{name} {number} end" for name in "ab" for number in range(200)}
    # Where a thread is kept from running in the midst of its line, the other does not wait for ever.
    assert len(whole & set(texts(done, "stdout"))) > 0.9 * len(whole)


def test_a_fork_of_the_child_stays_silent_on_the_child_s_channel(host: Host) -> None:
    """Two processes that write frames to one channel would write them into one another."""
    done = host.run("under_test/fork_logs")
    assert done["cause"] == "completed"
    assert texts(done, None) == ["from the child"] * 50


@pytest.mark.parametrize("options", [{}, {"spares": 0}, {"spawn": True}], ids=str)
def test_stdin_is_an_empty_text_however_the_child_was_made(options: dict[str, Any], tmp_path: Path) -> None:
    with hosted(tmp_path, **options) as host:
        done = host.run("under_test/reads_stdin")
    assert json.loads(done["body"])["data"]["value"] == [0, "", "", "EOFError"]
