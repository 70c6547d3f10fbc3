"""What a block returned becomes one outcome: as it is, or as a clear failure."""

import json
from typing import Any

import pytest

from jobrunner.outcome import encode, failed
from jobrunner.protocol.caps import HEADER_CAP_BYTES, MESSAGE_CAP_CHARS
from sdk.execution import OutcomeBody

CAP_BYTES = 10_000


def body(**values: Any) -> OutcomeBody:
    given: dict[str, Any] = {
        "success": True,
        "message": "done",
        "data": None,
        "db_updates": None,
        "acquires": None,
        "retryable": None,
        "warnings": (),
    }
    return OutcomeBody(**(given | values))


def test_data_and_acquires_are_two_parts_of_one_payload() -> None:
    header, payload = encode(body(data={"a": 1}, acquires=[{"b": 2}]), CAP_BYTES)
    assert json.loads(payload[: header.body_bytes]) == {"data": {"a": 1}}
    assert json.loads(payload[header.body_bytes :]) == [{"b": 2}]


def test_updates_are_under_the_engine_s_name() -> None:
    _, payload = encode(body(db_updates=[{"id": 1}]), CAP_BYTES)
    assert json.loads(payload) == {"dbUpdates": {"updates": [{"id": 1}]}}


def test_an_empty_list_of_acquires_is_not_the_same_as_none() -> None:
    assert encode(body(acquires=[]), CAP_BYTES)[1].endswith(b"[]")
    assert encode(body(), CAP_BYTES)[1] == b"{}"


def test_integers_stay_integers_and_text_stays_text() -> None:
    _, payload = encode(body(data={"n": 5, "f": 5.0, "t": "ä"}), CAP_BYTES)
    assert payload == '{"data":{"n":5,"f":5.0,"t":"ä"}}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()], ids=["nan", "inf", "object"])
def test_what_json_can_not_hold_is_a_failure_that_says_where_it_was(value: object) -> None:
    header, payload = encode(body(data={"outer": [value]}), CAP_BYTES)
    assert (header.success, header.retryable, payload) == (False, False, b"{}")
    assert "outer" in header.message


def test_a_circle_is_a_failure() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert not encode(body(data={"c": circle}), CAP_BYTES)[0].success


@pytest.mark.parametrize("over", [0, 1])
def test_the_cap_is_exact(over: int) -> None:
    empty = len(encode(body(data={"t": ""}), CAP_BYTES)[1])
    header, payload = encode(body(data={"t": "x" * (CAP_BYTES - empty + over)}), CAP_BYTES)
    assert header.success == (over == 0)
    assert len(payload) <= CAP_BYTES
    if over:
        assert f"{CAP_BYTES + 1} bytes" in header.message
        assert f"at most {CAP_BYTES}" in header.message


@pytest.mark.parametrize("over", [0, 1])
def test_a_cap_is_never_below_what_a_failure_needs(over: int) -> None:
    empty = len(encode(body(data={"t": ""}), CAP_BYTES)[1])
    header, _ = encode(body(data={"t": "x" * (1024 - empty + over)}), 1)
    assert header.success == (over == 0)


def test_what_is_too_large_is_no_use_to_try_again_and_the_block_has_not_raised() -> None:
    header, _ = encode(body(data={"t": "x" * CAP_BYTES}), CAP_BYTES)
    assert (header.success, header.retryable, header.raised) == (False, False, False)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ({"data": {"a": "x", "b": "x" * CAP_BYTES}, "db_updates": [1], "acquires": [2]}, "data.b"),
        ({"data": {"a": "x"}, "db_updates": ["x" * CAP_BYTES], "acquires": [2]}, "the updates of entities"),
        ({"data": {"a": "x"}, "db_updates": [1], "acquires": ["x" * CAP_BYTES]}, "acquires"),
        ({"acquires": ["x" * CAP_BYTES]}, "acquires"),
        ({"data": {"k" * 200: "x" * CAP_BYTES}}, "data." + "k" * 95),
    ],
)
def test_a_result_that_is_too_large_says_what_most_of_it_is(values: dict[str, Any], most: str) -> None:
    header, _ = encode(body(**values), CAP_BYTES)
    assert f"Most of it is {most}, " in header.message


def test_a_failure_that_does_not_say_so_was_not_raised() -> None:
    assert not failed("x").raised
    assert failed("x", raised=True).raised


def test_acquires_count_for_the_cap_too() -> None:
    assert not encode(body(acquires=["x" * CAP_BYTES]), CAP_BYTES)[0].success


@pytest.mark.parametrize("character", ["x", "ä", "\U0001f600", "\\", "\0", "\n"])
def test_the_longest_message_fits_the_header(character: str) -> None:
    header, _ = encode(failed(character * 10 * MESSAGE_CAP_CHARS), CAP_BYTES)
    assert len(header.model_dump_json().encode()) < HEADER_CAP_BYTES
