"""What comes over the channel and the pipes of a child, and what becomes of it."""

import errno
import logging
import os
import time
from types import SimpleNamespace

import pytest
from execution_support import DONE, SECRET, Scene, begin

from jobrunner.protocol.messages import Cancel, Log, Outcome, Secret, SessionClosed, SessionWanted
from supervisor.job import channel as channel_module
from supervisor.job.device_sessions import SessionDesk
from supervisor.job.result import Finished
from supervisor.lifecycle.events import Timer, TimerFired
from supervisor.lifecycle.state import Phase
from supervisor.log.events.jobs import ChannelBroken, JobLinesDropped, JobOutput
from supervisor.log.format import JOB_LOG
from supervisor.verdict import Cause, ExitStatus, Limits
from supervisor.watch import joblog as joblog_module
from supervisor.watch.joblog import BURST_LINES
from tests.log_events import facts_of, records_of, told
from tests.patience import until

EXIT_0 = ExitStatus(code=0)
EXIT_7 = ExitStatus(code=7)


async def test_an_outcome_carries_what_the_block_returned() -> None:
    scene = await begin()
    body, acquires = b'{"data": {"x": 1}}', b'[{"key": "k"}]'
    outcome = Outcome(success=False, message="no", retryable=True, raised=True, body_bytes=len(body))
    await scene.say(outcome, payload=body + acquires)
    finished = await scene.finish(status=EXIT_0)
    assert (finished.body, finished.acquires) == (body, acquires)
    seen = finished.ending.outcome
    assert seen is not None
    assert (seen.success, seen.message, seen.retryable, seen.raised) == (False, "no", True, True)


async def test_of_two_outcomes_the_first_counts_with_its_body() -> None:
    scene = await begin()
    first, second = b'{"data": {"first": 1}}', b'{"data": {"second": 1}}'
    await scene.say(Outcome(success=True, message="1", body_bytes=len(first)), payload=first)
    await scene.say(Outcome(success=False, message="2", body_bytes=len(second)), payload=second)
    finished = await scene.finish(status=EXIT_0)
    assert finished.body == first
    assert finished.ending.outcome is not None
    assert finished.ending.outcome.message == "1"


async def test_a_job_without_an_outcome_has_no_body() -> None:
    scene = await begin()
    finished = await scene.finish(status=EXIT_7)
    assert (finished.body, finished.acquires, finished.stuck) == (b"", b"", False)
    assert finished.ending.exit_status == EXIT_7
    assert finished.ending.channel_problem is None


async def test_the_message_of_an_outcome_is_masked() -> None:
    scene = await begin()
    finished = await scene.finish(Outcome(success=True, message=f"got {SECRET}", body_bytes=2), status=EXIT_0)
    assert finished.ending.outcome is not None
    assert finished.ending.outcome.message == "got ***"
    assert finished.ending.outcome.warning == ""


async def test_what_is_said_of_the_block_beside_its_outcome_is_masked() -> None:
    scene = await begin()
    outcome = Outcome(success=True, message="m", warning=f"calls {SECRET}() without await", body_bytes=2)
    finished = await scene.finish(outcome, status=EXIT_0)
    assert finished.verdict.warning == "calls ***() without await"


async def test_a_secret_that_the_child_has_set_is_masked_from_then_on() -> None:
    scene = await begin()
    told = Outcome(success=True, message="now Birch-Lantern-77", body_bytes=2)
    finished = await scene.finish(Secret(value="Birch-Lantern-77"), told, status=EXIT_0)
    assert finished.ending.outcome is not None
    assert finished.ending.outcome.message == "now ***"


async def test_a_line_that_the_block_logs_is_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = await begin()
    await scene.say(Log(level=logging.INFO, logger="block", text=f"logged {SECRET}", created=0.0))
    await scene.finish(DONE, status=EXIT_0)
    assert [record.getMessage() for record in caplog.records if record.event == JOB_LOG] == ["logged ***"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_a_line_that_the_block_prints_is_passed_on_with_its_stream(
    stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scene = await begin()
    scene.printed("whole line\nhalf a li", stream=stream)
    await scene.finish(DONE, status=EXIT_0)
    printed = records_of(caplog, JobOutput)
    assert [record.getMessage() for record in printed] == ["whole line", "half a li"]
    assert [facts_of(record)["stream"] for record in printed] == [stream] * 2


async def test_what_is_no_frame_ends_the_job_and_is_named() -> None:
    scene = await begin()
    await scene.child.send(b"\xff" * 8)
    finished = await scene.finish()
    assert finished.ending.channel_problem is not None
    assert "a header of 4294967295 bytes" in finished.ending.channel_problem
    assert finished.ending.killed


async def test_a_result_over_the_cap_is_no_frame() -> None:
    scene = await begin()
    payload = b'{"data": "' + b"x" * 200_000 + b'"}'
    await scene.say(Outcome(success=True, message="", body_bytes=len(payload)), payload=payload)
    finished = await scene.finish()
    assert "is over" in str(finished.ending.channel_problem)


async def test_a_channel_that_breaks_has_ended_and_is_no_frame_of_the_block_s(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    scene = await begin()
    scene.child.channel.send(Cancel(reason="unread").pack())
    scene.hang_up()
    finished = await scene.finish(status=EXIT_7)
    assert finished.ending.channel_problem is None
    assert finished.ending.exit_status == EXIT_7
    assert [each["reason"] for each in told(caplog, ChannelBroken)] == [
        f"[Errno {errno.ECONNRESET}] {os.strerror(errno.ECONNRESET)}"
    ]


async def test_a_child_that_is_gone_when_it_is_to_be_cancelled_says_so_by_its_end() -> None:
    scene = await begin()
    scene.hang_up()
    scene.execution._put(TimerFired(time.monotonic(), Timer.DEADLINE))
    await until(lambda: scene.execution._state.phase is Phase.CANCELLING, "it is asked to stop")
    assert (await scene.finish(status=EXIT_7)).ending.exit_status == EXIT_7


@pytest.mark.parametrize("unread", [True, False], ids=["reset", "broken pipe"])
async def test_all_that_a_job_has_said_is_read_where_it_can_be_told_nothing_any_more(
    unread: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends with an answer unread, or before the worker has read what it answers."""
    monkeypatch.setattr(channel_module, "TURN_SECONDS", -1.0)  # a frame in each turn of the loop
    caplog.set_level(logging.INFO)
    scene = Scene(Limits(max_seconds=30.0, grace_seconds=1.0), SessionDesk(1))
    await scene.begin()
    if unread:
        scene.child.channel.send(Cancel(reason="unread").pack())
    line = Log(level=logging.INFO, logger="block", text="line", created=0.0)
    place = [
        SessionWanted(number=1, device="r"),
        SessionWanted(number=2, device="r"),
        SessionClosed(number=1),
    ]
    for header in (*place, *[line] * 200):
        scene.child.far.send(header.pack())  # no turn of the loop between them
    body = b'{"data": {"x": 1}}'
    scene.child.far.send(Outcome(success=True, message="m", body_bytes=len(body)).pack(body))
    scene.hang_up()
    await until(lambda: scene.execution._state.channel_ended, "all is read")
    finished = await scene.finish(status=EXIT_0)
    assert (finished.verdict.cause, finished.body) == (Cause.COMPLETED, body)
    assert len([record for record in caplog.records if record.event == JOB_LOG]) == 200


async def test_the_last_output_is_that_of_stderr_and_else_of_stdout() -> None:
    scene = await begin()
    scene.printed("out\n", stream="stdout")
    scene.printed("err\n", stream="stderr")
    assert (await scene.finish(status=EXIT_7)).ending.last_output == "err\n"
    scene = await begin()
    scene.printed("out\n", stream="stdout")
    assert (await scene.finish(status=EXIT_7)).ending.last_output == "out\n"


async def test_of_much_output_the_end_is_kept() -> None:
    scene = await begin()
    scene.printed("".join(f"line {number}\n" for number in range(2000)))
    last = (await scene.finish(status=EXIT_7)).ending.last_output
    assert last.endswith("line 1998\nline 1999\n")
    assert len(last) == 4096


@pytest.mark.parametrize("times", [500, 1000])
@pytest.mark.parametrize("end", ["", "\n"])
async def test_of_a_secret_at_the_edge_of_the_last_output_no_half_is_shown(end: str, times: int) -> None:
    """The text is cut inside a secret, at its beginning and, where the child was killed as it wrote, at its end."""
    scene = await begin()
    scene.printed("x" + f"{SECRET} " * times + (SECRET[:-3] if not end else "") + end)
    last = (await scene.finish(status=EXIT_7)).ending.last_output
    assert set(last) <= set("* \n")


async def test_a_short_output_that_begins_like_the_end_of_a_secret_is_shown_whole() -> None:
    scene = await begin()
    scene.printed(f"{SECRET[5:]} is here\n")
    assert (await scene.finish(status=EXIT_7)).ending.last_output == f"{SECRET[5:]} is here\n"


async def test_lines_that_were_too_many_are_counted_and_told_at_the_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    # On a slow machine there would be room for some of them meanwhile.
    monkeypatch.setattr(joblog_module, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    scene = await begin()
    scene.printed("line\n" * (BURST_LINES + 500))
    await scene.finish(DONE, status=EXIT_0)
    assert told(caplog, JobLinesDropped)[-1]["lines"] == 500
    assert caplog.records[-1].event == JobLinesDropped.name


async def large_outcome(data: bytes) -> Finished:
    scene = Scene(Limits(max_seconds=30.0, grace_seconds=1.0))
    scene.result_cap_bytes = 2**22
    await scene.begin()
    outcome = Outcome(success=True, message=f"{SECRET} done", body_bytes=len(data))
    await scene.say(outcome, payload=data)
    return await scene.finish(status=ExitStatus(code=0))


async def test_a_large_outcome_is_checked_in_portions_and_passed_on_as_it_is() -> None:
    body = b'{"data":{"a":[' + b"{}," * 100_000 + b"{}]}}"
    finished = await large_outcome(body)
    assert (finished.verdict.cause, finished.verdict.message, finished.body) == (
        Cause.COMPLETED,
        "*** done",
        body,
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"data":[' + b"{}," * 100_000 + b"{}]}", "its data is no object"),
        (b'{"data":{"a":[' + b"{}," * 100_000 + b"NaN]}}", "it can't be read"),
    ],
)
async def test_a_large_outcome_that_is_none_is_a_failure_that_says_so(body: bytes, why: str) -> None:
    finished = await large_outcome(body)
    assert not finished.verdict.success
    assert why in finished.verdict.message
    assert finished.body == b""
