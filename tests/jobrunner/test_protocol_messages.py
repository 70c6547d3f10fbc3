"""Headers: each field is taken up to its cap and refused beyond it, and a refusal says what, never which value."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from jobrunner.protocol import caps
from jobrunner.protocol.frames import Frame, FrameError
from jobrunner.protocol.messages import (
    Blocking,
    Log,
    Order,
    Outcome,
    Secret,
    from_child,
    from_template,
    to_child,
)

LOG: dict[str, Any] = {"type": "log", "level": 20, "logger": "block", "text": "x", "created": 1.5}
OUTCOME: dict[str, Any] = {"type": "outcome", "success": True, "message": "m", "body_bytes": 0}
BLOCKING: dict[str, Any] = {"type": "blocking", "file": "f", "line": 1, "since": 1.0, "text": "x"}
WANTED: dict[str, Any] = {"type": "session_wanted", "number": 1, "device": "r1"}
CHANGE: dict[str, Any] = {
    "type": "device_change",
    "number": 1,
    "device": "r1",
    "stage": "changing",
    "lines": 1,
}
ORDER: dict[str, Any] = {
    "type": "order",
    "job_id": "j",
    "block_id": "b",
    "job_type": "execute",
    "run_on": "global",
    "job_directory": "/d",
    "log_level": 20,
    "result_cap_bytes": 1000,
}


def frame(header: dict[str, Any]) -> Frame:
    return Frame(json.dumps(header).encode(), b"")


def numbered(count: int) -> list[str]:
    return [str(number) for number in range(count)]


AT_THE_CAP = [
    (from_child, LOG, {"level": 0}, {"level": -1}),
    (from_child, LOG, {"level": 1000}, {"level": 1001}),
    (from_child, LOG, {"logger": "x" * 500}, {"logger": "x" * 501}),
    (from_child, LOG, {"text": "x" * caps.LOG_CAP_CHARS}, {"text": "x" * (caps.LOG_CAP_CHARS + 1)}),
    (from_child, LOG, {"cut_chars": 0}, {"cut_chars": -1}),
    (from_child, LOG, {"created": 1e300}, {"created": float("inf")}),
    (from_child, LOG, {"created": 0}, {"created": float("nan")}),
    (from_child, LOG, {"fields": {"x" * 100: 1}}, {"fields": {"x" * 101: 1}}),
    (
        from_child,
        LOG,
        {"fields": {"x": "y" * caps.FIELD_CAP_CHARS}},
        {"fields": {"x": "y" * (caps.FIELD_CAP_CHARS + 1)}},
    ),
    (
        from_child,
        LOG,
        {"fields": dict.fromkeys(numbered(caps.FIELDS_CAP))},
        {"fields": dict.fromkeys(numbered(caps.FIELDS_CAP + 1))},
    ),
    (
        from_child,
        LOG,
        {"fields": {"a": "x" * 999, "b": "x" * 999, "c": "x" * 999}},
        {"fields": {"a": "x" * 999, "b": "x" * 999, "c": "x" * 1000}},
    ),
    (
        from_child,
        {"type": "secret"},
        {"value": "x" * caps.SECRET_CAP_CHARS},
        {"value": "x" * (caps.SECRET_CAP_CHARS + 1)},
    ),
    (from_child, WANTED, {"number": 1}, {"number": 0}),
    (from_child, WANTED, {"number": caps.SESSIONS_CAP}, {"number": caps.SESSIONS_CAP + 1}),
    (
        from_child,
        WANTED,
        {"device": "x" * caps.DEVICE_CAP_CHARS},
        {"device": "x" * (caps.DEVICE_CAP_CHARS + 1)},
    ),
    (from_child, CHANGE, {"number": 1}, {"number": 0}),
    (from_child, CHANGE, {"number": caps.CHANGES_CAP}, {"number": caps.CHANGES_CAP + 1}),
    (from_child, CHANGE, {"lines": caps.LINES_CAP}, {"lines": caps.LINES_CAP + 1}),
    (from_child, CHANGE, {"lines": 0}, {"lines": -1}),
    (from_child, CHANGE, {"stage": "restoring"}, {"stage": "undone"}),
    (from_child, CHANGE, {"timer_seconds": 60.0}, {"timer_seconds": float("inf")}),
    (from_child, CHANGE, {"device": "r 1"}, {"device": "r1\nCause: none"}),
    (
        from_child,
        CHANGE,
        {"device": "x" * caps.DEVICE_CAP_CHARS},
        {"device": "x" * (caps.DEVICE_CAP_CHARS + 1)},
    ),
    (from_child, OUTCOME, {"body_bytes": 0}, {"body_bytes": -1}),
    (
        from_child,
        OUTCOME,
        {"message": "x" * caps.MESSAGE_CAP_CHARS},
        {"message": "x" * (caps.MESSAGE_CAP_CHARS + 1)},
    ),
    (from_child, BLOCKING, {"line": 0}, {"line": -1}),
    (from_child, BLOCKING, {"file": "x" * 4096}, {"file": "x" * 4097}),
    (from_child, BLOCKING, {"text": "x" * caps.LOG_CAP_CHARS}, {"text": "x" * (caps.LOG_CAP_CHARS + 1)}),
    (
        to_child,
        ORDER,
        {"redact_keys": numbered(caps.NAMES_CAP)},
        {"redact_keys": numbered(caps.NAMES_CAP + 1)},
    ),
    (
        to_child,
        ORDER,
        {"log_levels": dict.fromkeys(numbered(caps.NAMES_CAP), 10)},
        {"log_levels": dict.fromkeys(numbered(caps.NAMES_CAP + 1), 10)},
    ),
    (from_child, LOG, {}, {"unheard_of": 1}),
    (from_template, {"type": "importing"}, {"module": "m"}, {"module": "m", "pid": 1}),
    (from_template, LOG, {}, {"type": "ready", "pid": 1}),
    (from_template, {"type": "catalogue"}, {}, {"type": "outcome"}),
]


@pytest.mark.parametrize(("parse", "header", "taken", "refused"), AT_THE_CAP)
def test_a_field_is_taken_up_to_its_cap_and_refused_beyond(
    parse: Any, header: dict[str, Any], taken: dict[str, Any], refused: dict[str, Any]
) -> None:
    message = parse(frame(header | taken))
    assert {name: getattr(message, name) for name in taken} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in taken.items()
    }
    with pytest.raises(FrameError, match="not a valid header: ") as caught:
        parse(frame(header | refused))
    assert not caught.value.incomplete


def test_an_unknown_type_is_not_echoed() -> None:
    with pytest.raises(FrameError) as caught:
        from_child(frame({"type": "s3cret", "x": 1}))
    assert str(caught.value) == "not a valid header: unknown type"


@pytest.mark.parametrize("wrong", [20, 21])
def test_of_a_header_with_very_many_faults_none_is_described(wrong: int) -> None:
    with pytest.raises(FrameError) as caught:
        from_child(frame(LOG | dict.fromkeys((f"stray{number}" for number in range(wrong)), 1)))
    assert ("nothing in it is right" in str(caught.value)) is (wrong > 20)
    assert not caught.value.incomplete


@pytest.mark.parametrize("character", ["x", "ä", "\U0001f600", "\\", "\0"])
def test_the_longest_record_fits_the_header(character: str) -> None:
    per_field = caps.FIELDS_CAP_CHARS // caps.FIELDS_CAP
    record = Log(
        level=1000,
        logger=character * 500,
        text=character * caps.LOG_CAP_CHARS,
        created=1e300,
        cut_chars=10**9,
        fields={f"{number:02}": character * (per_field - 2) for number in range(caps.FIELDS_CAP)},
    )
    assert len(record.model_dump_json().encode()) < caps.HEADER_CAP_BYTES


def test_the_longest_warning_of_blocking_code_fits_the_header() -> None:
    warning = Blocking(file="\0" * 4096, line=10**9, since=1e300, text="\\" * caps.LOG_CAP_CHARS)
    assert len(warning.model_dump_json().encode()) < caps.HEADER_CAP_BYTES


def test_a_message_does_not_change_once_it_is_made() -> None:
    message = to_child(frame({"type": "cancel", "reason": "time"}))
    with pytest.raises(ValidationError, match="frozen"):
        message.type = "order"  # type: ignore[assignment]  # what is tested


def test_a_record_that_says_nothing_of_a_cut_is_whole() -> None:
    message = from_child(frame(LOG))
    assert isinstance(message, Log)
    assert (message.cut_chars, message.fields) == (0, {})


def test_an_outcome_that_does_not_say_so_has_not_raised() -> None:
    message = from_child(frame(OUTCOME))
    assert isinstance(message, Outcome)
    assert (message.raised, message.retryable) == (False, None)


def test_a_secret_on_its_way_is_not_in_its_repr() -> None:
    assert "s3cret" not in repr(Secret(value="s3cret"))


def test_what_is_not_set_is_not_sent() -> None:
    packed = Order.model_validate(ORDER).pack(b"payload")
    assert b"null" not in packed
    assert packed.endswith(b"payload")
