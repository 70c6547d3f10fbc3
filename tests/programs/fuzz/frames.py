"""Frames of a child, through the reader, the state machine and the verdict, to the text of a result."""

import asyncio
import contextlib
import json
import random
import struct
from typing import Any

from jobrunner.protocol.caps import HEADER_CAP_BYTES
from jobrunner.protocol.masking import Mask
from supervisor.job.device_sessions import SessionDesk
from supervisor.job.execution import Execution
from supervisor.job.result import Finished, result_text
from supervisor.job.watchers import Watchers
from supervisor.verdict import ExitStatus, Limits
from supervisor.watch.cpu import CpuWatch
from supervisor.watch.joblog import JobLog
from supervisor.watch.process_counter import ProcessCounter
from supervisor.watch.stall import LoopReports
from tests.programs.fuzz.fakes import FakeChild, NoSampler, NothingToSweep
from tests.programs.fuzz.fuzzer import Fuzzer
from tests.programs.fuzz.measuring import not_measured
from tests.programs.fuzz.mutating import any_text, any_value, as_json, mutate, nested, some_bytes

SECRET = "Fuzz-Secret-55"
RESULT_CAP_BYTES = 100_000
MESSAGE_MOST_CHARS = 24_000
"""The cap of an outcome's message, and what evidence may be added to it."""

_HEADERS: tuple[dict[str, Any], ...] = (
    {"type": "ready", "pid": 1, "cpu_seconds": 0.25, "peak_memory_kb": 34_000},
    {"type": "log", "level": 20, "logger": "block", "text": "hello", "created": 0.0},
    {"type": "outcome", "success": True, "message": "Done", "body_bytes": 0},
    {"type": "outcome", "success": False, "message": SECRET, "retryable": True, "body_bytes": 2},
    {"type": "tick"},
    {"type": "session_wanted", "number": 1, "device": SECRET},
    {"type": "session_wanted", "number": 2, "device": SECRET},
    {"type": "session_closed", "number": 1},
    {"type": "device_change", "number": 1, "device": SECRET, "stage": "changing", "lines": 3},
    {"type": "device_change", "number": 1, "device": SECRET, "stage": "over", "lines": 3},
    {
        "type": "device_change",
        "number": 2,
        "device": "r2",
        "stage": "changed",
        "lines": 1,
        "timer_seconds": 60,
    },
    {"type": "host_key", "host": "10.0.0.1", "port": 22, "key_type": "ssh-ed25519", "key": "AAAA"},
    {"type": "blocking", "file": "block.py", "line": 1, "since": 0.0, "text": SECRET},
    {"type": "order", "job_id": "j", "block_id": "b"},
    {"type": SECRET},
    {SECRET: SECRET},
)


def bytes_of(rng: random.Random) -> bytes:
    """Return what one child sends in its life."""
    sent = b"".join(_frame(rng) for _ in range(rng.choice((1, 1, 2, 3, 8))))
    match rng.randrange(10):
        case 0:
            return some_bytes(rng, 5000)
        case 1:
            return sent[: rng.randint(0, len(sent))]
        case 2:
            return mutate(rng, sent)
        case 3 if rng.random() < 0.1:
            return _frame(rng) * 300
        case _:
            return sent


def _frame(rng: random.Random) -> bytes:
    header: Any = dict(rng.choice(_HEADERS))
    payload = b""
    if header.get("type") == "outcome":
        payload = _payload(rng, header)
    text = _header_text(rng, header)
    lengths = len(text), len(payload)
    if rng.random() < 0.05:
        wrong = (0, 1, HEADER_CAP_BYTES, HEADER_CAP_BYTES + 1, RESULT_CAP_BYTES + HEADER_CAP_BYTES, 2**32 - 1)
        lengths = rng.choice((lengths[0], *wrong)), rng.choice((lengths[1], *wrong))
    return struct.pack("!II", *lengths) + text + payload


def _header_text(rng: random.Random, header: Any) -> bytes:
    match rng.randrange(16):
        case 0:
            return as_json(rng, nested(rng, header))
        case 1:
            return as_json(rng, header)
        case 2:
            return some_bytes(rng)
        case 3:
            return rng.choice((b"[", b'{"a":', b'"')) * rng.choice((10, 1000, 60_000 // 5))
        case 4 if rng.random() < 0.2:
            extra = {f"{number:x}": any_value(rng, 0) for number in range(rng.choice((3, 6000)))}
            return as_json(rng, header | extra)[:HEADER_CAP_BYTES]
        case 5 if rng.random() < 0.2:
            return json.dumps(header | {rng.choice(("type", "text", "message")): "m" * 120_000}).encode()
        case _:
            return json.dumps(header).encode()


def _payload(rng: random.Random, header: dict[str, Any]) -> bytes:
    body: Any = {"data": any_value(rng)} if rng.random() < 0.7 else {"data": {}, "dbUpdates": {"updates": []}}
    text = as_json(rng, body)
    if rng.random() < 0.03:
        text = as_json(rng, {"data": any_text(rng) * 30_000})[: RESULT_CAP_BYTES + HEADER_CAP_BYTES]
    acquires = as_json(rng, [any_value(rng)]) if rng.random() < 0.3 else b""
    header["body_bytes"] = len(text) + rng.choice((0, 0, 0, 0, 1, -1, 2**40))
    if header["body_bytes"] < 0:
        header["body_bytes"] = 0
    return text + acquires


class Frames(Fuzzer):
    """A child that sends anything, in pieces of any length."""

    async def check(self, rng: random.Random) -> None:
        """See `Fuzzer.check`."""
        with not_measured():
            sent = bytes_of(rng)
        # Some say it before they may begin, and end.
        await check_bytes(rng, sent, early=len(sent) < 2000 and rng.random() < 0.1)


async def check_bytes(rng: random.Random, sent: bytes, *, early: bool = False) -> None:
    """Send what a child sends, and check that what comes of it can be a result."""
    child = await FakeChild().connect()
    log = JobLog("job", "fuzz/echo:1.0.0", Mask([SECRET]))
    limits = Limits(max_seconds=10.0, grace_seconds=0.0)
    reports = LoopReports(child, log, block_id="fuzz/echo:1.0.0", block_file=None, blocking_seconds=0.5)  # type: ignore[arg-type]
    parts = (NothingToSweep(), Watchers(NoSampler(), ProcessCounter(), CpuWatch()))  # type: ignore[arg-type]
    execution = Execution(child, *parts, limits, log, reports, SessionDesk(1))  # type: ignore[arg-type]
    execution.prepare()
    speaking = asyncio.ensure_future(_speak(child, sent, rng))
    try:
        if early:
            await speaking
        finished = await execution.run([b"{}"], RESULT_CAP_BYTES)
    finally:
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaking
        child.close()
    with not_measured():
        _check_result(finished)


async def _speak(child: FakeChild, sent: bytes, rng: random.Random) -> None:
    at = 0
    while at < len(sent):
        length = rng.choice((1, 7, 64, 4096, len(sent)))
        if len(sent) > 2000:
            length = max(length, len(sent) // 8)
        await child.send(sent[at : at + length])
        at += length
        await asyncio.sleep(0)
    child.end(ExitStatus(code=0))


def _check_result(finished: Finished) -> None:
    text = result_text("job", finished, knows_retryable=True)
    parsed = json.loads(text, parse_constant=_no_constant)
    assert parsed["jobExecutionId"] == "job", "another job's id"
    outcome, not_begun = finished.ending.outcome, finished.ending.not_begun
    assert parsed["result"]["success"] is (outcome is not None and outcome.success and not not_begun)
    message = parsed["result"]["message"]
    assert SECRET not in message, "a secret in the message"
    assert len(message) <= MESSAGE_MOST_CHARS, f"a message of {len(message)} characters"
    assert "\0" not in message
    message.encode()


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} in a result")
