"""Whether `make device-faults` notices what is wrong, and whether nothing is where it says so."""

import dataclasses
import json
import socket
from typing import Any

import pytest

from sdk.testing.loop_thread import LoopThread
from tests.programs.device_faults.cases import GROUPS, Case
from tests.programs.device_faults.judging import judge
from tests.programs.device_faults.limits import LIMIT_SECONDS
from tests.programs.device_faults.places import HOST, closed_port, dropped_syn, nowhere
from tests.programs.device_faults.running import ASYNC, ESCAPES, Lateness, Seen

LIMIT = {"command_seconds": LIMIT_SECONDS}
HANG = Case("hang", nowhere(), ("command_timeout",), retryable=True, parameters=LIMIT)
DATA = {
    "cause": "command_timeout",
    "retryable": True,
    "message": "did not finish",
    "output_bytes": 0,
    "is_cut": False,
    "is_refused": False,
    "last_call": "send_command",
    "call_began": 100.0,
    "call_ended": 100.0 + LIMIT_SECONDS + 0.2,
    "descriptors_left": [],
    "threads_seconds": 0.1,
    "threads_left": [],
    "next_device_answered": True,
}
DONE = {"success": False, "retryable": True, "cause": "block_failed", "message": "did not finish", "body": ""}
RIGHT = Seen(HANG, ASYNC, DONE | {"lines": [], "leftovers": 0}, DATA, "", (), ("made-up-7",))


def problems(seen: Seen) -> tuple[str, ...]:
    return judge(seen, Lateness()).problems


def test_a_case_that_ended_as_it_must_has_no_problem() -> None:
    assert problems(RIGHT) == ()
    assert problems(dataclasses.replace(RIGHT, form=ESCAPES)) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cause": "connection_lost"}, "the cause must be command_timeout"),
        ({"cause": None}, "the cause must be command_timeout"),
        ({"retryable": False}, "retryable must be True"),
        ({"call_ended": 100.0 + LIMIT_SECONDS + 0.6}, "0.60 s after its limit"),
        ({"is_cut": True}, "not be marked as cut"),
        ({"threads_seconds": None, "threads_left": ["paramiko"]}, "threads were left"),
        ({"threads_seconds": None, "descriptors_left": ["9 -> socket"]}, "descriptors were left"),
        ({"next_device_answered": False}, "another device did not answer"),
    ],
)
def test_what_a_block_tells_of_itself_is_judged(change: dict[str, Any], said: str) -> None:
    (problem,) = problems(dataclasses.replace(RIGHT, data=DATA | change))
    assert said in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"next_job": "time limit"}, "the next job was harmed: time limit"),
        ({"strangers": (7,)}, "processes were left"),
        ({"done": RIGHT.done | {"leftovers": 2}}, "processes were left"),
        ({"done": RIGHT.done | {"message": "the password made-up-7"}}, "a secret"),
        ({"done": RIGHT.done | {"lines": ["File paramiko/transport.py"]}}, "a traceback of paramiko"),
        ({"data": {}}, "the job itself ended: block_failed"),
    ],
)
def test_what_the_worker_saw_is_judged(change: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(dataclasses.replace(RIGHT, **change)))


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for cases in GROUPS.values() for case in cases]
    assert len(set(names)) == len(names)


def test_a_closed_port_refuses_and_a_full_queue_says_nothing() -> None:
    with LoopThread("places") as loop:
        with closed_port(loop) as device, pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, _port(device)), timeout=10)
        with dropped_syn(loop) as device, pytest.raises(TimeoutError):
            socket.create_connection((HOST, _port(device)), timeout=0.5)


def _port(device: dict[str, Any]) -> int:
    port: int = json.loads(device["connectionOptions"])["port"]
    return port
