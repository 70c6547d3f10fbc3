"""The text of a result: valid JSON of one shape, with what the block returned put in as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jobrunner.protocol.frames import FrameError
from jobrunner.protocol.messages import Outcome
from supervisor.job.result import Finished, Parts, checked, checked_in_steps, parts_of, result_text
from supervisor.verdict import Cause, Ending, Usage, Verdict

KEPT = Verdict(success=True, cause=Cause.COMPLETED, message="done", keeps_outcome=True)


def text_of(
    verdict: Verdict,
    body: bytes = b"",
    acquires: bytes = b"",
    *,
    job_id: str = "j",
    knows_retryable: bool = True,
) -> bytes:
    finished = Finished(verdict, Ending(Usage(1.0)), body, acquires)
    return result_text(job_id, finished, knows_retryable=knows_retryable)


def split_outcome(outcome: Outcome, payload: bytes) -> Parts:
    """Check it at once and in steps: both must come to the same."""
    parts = parts_of(outcome, payload)
    found: list[Parts | None] = []
    for check in (checked, in_one_go):
        try:
            found.append(check(parts))
        except FrameError:
            found.append(None)
    assert found[0] == found[1]
    return checked(parts)


def in_one_go(parts: Parts) -> Parts:
    steps = checked_in_steps(parts)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: Parts = end.value
        return result


def split(body: bytes, acquires: bytes = b"") -> tuple[bytes, bytes]:
    return split_outcome(Outcome(success=True, message="m", body_bytes=len(body)), body + acquires)


def test_what_the_block_returned_is_in_the_result_unchanged() -> None:
    body, acquires = split(b'{"data":{"n":5,"f":5.0},"dbUpdates":{"updates":[]}}', b'[{"a":1}]')
    result = json.loads(text_of(KEPT, body, acquires))
    assert result == {
        "jobExecutionId": "j",
        "status": "success",
        "result": {
            "success": True,
            "message": "done",
            "data": {"n": 5, "f": 5.0},
            "dbUpdates": {"updates": []},
        },
        "acquires": [{"a": 1}],
    }
    assert isinstance(result["result"]["data"]["n"], int)


@pytest.mark.parametrize("body", [b"", b"{}", b" {} ", b'{"data":{}}', b' \n{"data":{}}', b'{"data":{}} \n'])
def test_any_body_that_is_accepted_makes_a_result_that_can_be_read(body: bytes) -> None:
    text = text_of(KEPT, *split(body), knows_retryable=False)
    assert json.loads(text)["result"].get("data") == ({} if b"data" in body else None)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"1",
        b"{",
        b"{}{}",
        b'{"success":true}',
        b'{"data":NaN}',
        b'{"data":Infinity}',
        b'{"data":"\xff"}',
        b'{"data":1}, "x": {',
        b'{"data":[1]}',
        b'{"data":null}',
        b'{"dbUpdates":[]}',
        b'{"dbUpdates":{"updates":{}}}',
        b'{"dbUpdates":{"updates":[1]}}',
        b'{"dbUpdates":{"more":[]}}',
        b'{"data":{"a":"\\ud800"}}',
        b'{"data":{"a":"\\udc00\\ud800"}}',
        b'{"data":{"a":01}}',
        b'{"data":{"a":[1,]}}',
        b'{"data":{"a":1,}}',
        b'{"data":{"a":[1}]}',
        b'{"data":{"a":"\x01"}}',
        b'{"data":{"a":' + b"1" * 5000 + b"}}",
        b'{"data":{"a":' + b"9" * 309 + b"}}",
        b'{"data":{"a":1e999}}',
        b'{"data":{"a":[-1.8E+308]}}',
        b"\xef\xbb\xbf{}",
        b'{"data":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        split(body)


@pytest.mark.parametrize("acquires", [b"{}", b"[", b"null", b"[NaN]", b"[[]]"])
def test_acquires_of_another_shape_are_refused(acquires: bytes) -> None:
    with pytest.raises(FrameError):
        split(b"{}", acquires)


@pytest.mark.parametrize("number", ["1.7976931348623157e+308", "-9.9e307", "1e-999", "12.5E+3", "1" * 308])
def test_a_number_that_a_double_can_hold_is_accepted_also_where_a_text_looks_like_one_that_is_too_large(
    number: str,
) -> None:
    body = f'{{"data":{{"a":{number},"b":"1e999"}}}}'.encode()
    assert split(body)[0] == body


def test_a_length_beyond_the_payload_is_no_way_around() -> None:
    outcome = Outcome(success=True, message="m", body_bytes=10**9)
    assert split_outcome(outcome, b'{"data":{}}') == (b'{"data":{}}', b"")


@given(some.binary(max_size=30), some.integers(0, 30))
def test_any_payload_is_refused_or_makes_a_result_that_can_be_read(payload: bytes, length: int) -> None:
    try:
        parts = split_outcome(Outcome(success=True, message="m", body_bytes=length), payload)
    except FrameError:
        return
    json.loads(text_of(KEPT, *parts))


def test_a_verdict_that_does_not_keep_the_outcome_sends_nothing_of_it() -> None:
    verdict = Verdict(success=False, cause=Cause.TIME_LIMIT, message="late")
    result = json.loads(text_of(verdict, b'{"data":1}', b"[1]"))
    assert result == {
        "jobExecutionId": "j",
        "status": "failed",
        "result": {"success": False, "message": "late"},
    }


@pytest.mark.parametrize("retryable", [True, False, None])
@pytest.mark.parametrize("knows", [True, False])
def test_retryable_is_told_only_where_it_is_known_on_both_sides(retryable: bool | None, knows: bool) -> None:
    verdict = Verdict(success=False, cause=Cause.BLOCK_FAILED, message="", retryable=retryable)
    result = json.loads(text_of(verdict, knows_retryable=knows))["result"]
    assert result.get("retryable") == (retryable if knows else None)


@given(some.text(), some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_message_and_id_survive(job_id: str, message: str) -> None:
    verdict = Verdict(success=False, cause=Cause.EXITED, message=message)
    result = json.loads(text_of(verdict, job_id=job_id))
    assert (result["jobExecutionId"], result["result"]["message"]) == (job_id, message)


def test_a_nul_in_a_message_is_escaped() -> None:
    """PostgreSQL, which is behind the engine, stores no text with one."""
    text = text_of(Verdict(success=False, cause=Cause.EXITED, message="a\0b"))
    assert json.loads(text)["result"]["message"] == "a\\x00b"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a\0b", "a\\x00b"),
        ("\0\0", "\\x00\\x00"),
        ("\\u0000", "\\u0000"),
        ("\\\0", "\\\\x00"),
        ("\0é\\", "\\x00é\\"),
    ],
)
def test_a_nul_in_data_is_escaped_and_nothing_else_is_changed(sent: str, stored: str) -> None:
    data = {"text": sent, sent: ["\\", sent]}
    body, _ = split(json.dumps({"data": data}).encode())
    assert json.loads(body)["data"] == {"text": stored, stored: ["\\", stored]}
