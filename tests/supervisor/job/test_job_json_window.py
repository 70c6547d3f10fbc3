"""Large orders, read once in pieces: what is found in them is what is found in the whole, wherever a piece ends."""

import json
from collections.abc import Generator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrunner.protocol.masking import secrets_in
from jobrunner.protocol.masking.names import BUILT_IN
from supervisor.job import json_pieces, json_window
from supervisor.job.device_endpoints import EndpointSearch, endpoints_of
from supervisor.job.json_grammar import of_python
from supervisor.job.json_pieces import ANY, DEEPEST_LEVELS, NotJsonError, Scanner
from supervisor.job.json_secrets import secrets_in_steps
from supervisor.job.json_window import elements_at, members_at

T = TypeVar("T")

hosts = st.sampled_from(["10.0.0.1", "Core.example", "a b", "", "\u00e4", None, 7])
options = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"host": hosts, "port": st.integers(0, 70_000), "jump_host": hosts, "password": hosts}
    ).map(json.dumps),
)
devices = st.fixed_dictionaries(
    {},
    optional={
        "ip": hosts, "hostname": hosts, "connectionOptions": options, "password": hosts, "notes": st.text(max_size=30),
        "api_key": st.lists(st.text(max_size=9), max_size=3), "url": st.just("https://u:p%20w@h/"), "*": hosts,
        "facts": st.recursive(
            st.integers() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "token", "url"]), inner),
        ),
    },
)  # fmt: skip
contexts = st.fixed_dictionaries(
    {"notes": st.lists(st.integers(), max_size=30)},
    optional={
        "devices": st.lists(devices | st.integers(), max_size=6)
        | devices
        | st.dictionaries(st.just("*"), devices)
    },
)
parameters = st.fixed_dictionaries(
    {}, optional={"port": st.integers(0, 70_000), "jump_host": hosts | st.fixed_dictionaries({"host": hosts})}
)


def outcome_of(steps: Generator[None, None, T]) -> T:
    try:
        while True:
            next(steps)
    except StopIteration as end:
        found: T = end.value
        return found


@pytest.fixture(params=[24, 100, json_window.WINDOW_BYTES], autouse=True)
def window_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Have windows, and what an expression matches at a time, be so small that all else is read in parts."""
    size: int = request.param
    monkeypatch.setattr(json_window, "WINDOW_BYTES", size)
    monkeypatch.setattr(json_pieces, "PIECE_BYTES", size)
    return size


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(parameters, contexts, st.booleans())
def test_secrets_and_endpoints_are_those_of_the_whole(
    given: dict[str, Any], context: dict[str, Any], ascii_only: bool
) -> None:
    search, found = EndpointSearch(), set()
    for document, listener in ((given, search.of_parameters), (context, search.of_context)):
        text = json.dumps(document, ensure_ascii=ascii_only).encode()
        found |= outcome_of(secrets_in_steps(text, BUILT_IN, listener=listener))
    assert found == {secret for document in (given, context) for secret in secrets_in(document, BUILT_IN)}
    expected = endpoints_of(given, context)
    # A jump host that is longer than a window is none.
    assert search.found() <= expected
    if len(json.dumps(given)) < json_window.WINDOW_BYTES:
        assert search.found() == expected


def test_of_two_lists_of_devices_the_child_sees_the_last() -> None:
    text = b'{"devices": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "x": 1, "devices": [{"ip": "10.0.0.3"}]}'
    search = EndpointSearch()
    outcome_of(secrets_in_steps(text, BUILT_IN, listener=search.of_context))
    assert search.found() == endpoints_of({}, json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        b"[1, 2,]", b"[1 2]", b"[1}", b'{"a": 1,}', b'{"a" 1}', b"{1: 2}", b'["\\x"]', b"[01]", b'["\t"]', b"[",
        b"[tru]",
        b"[[1,]]", b"[1],",
    ],
)  # fmt: skip
def test_what_is_no_json_is_still_none(text: bytes) -> None:
    with pytest.raises(ValueError):
        json.loads(text)
    with pytest.raises(NotJsonError):
        outcome_of(Scanner(text, of_python()).steps(ANY))


def test_how_deep_a_text_is_nested_is_counted_through_what_is_read_at_once() -> None:
    # An expression looks two levels further.
    for depth in (DEEPEST_LEVELS - 1, DEEPEST_LEVELS, DEEPEST_LEVELS + 3):
        text = b"[" * depth + b"]" * depth
        steps = Scanner(b"[1, " + text[1:-1] + b", 2]" if depth > 1 else text, of_python()).steps(ANY)
        if depth <= DEEPEST_LEVELS:
            outcome_of(steps)
        else:
            with pytest.raises(NotJsonError, match="nested"):
                outcome_of(steps)
    outcome_of(Scanner(b"[" + b"[[],{}]," * 300 + b"1]", of_python()).steps(ANY))


def test_only_what_stands_whole_in_a_window_is_read_and_what_follows_it_is_in_sight(
    window_bytes: int,
) -> None:
    assert elements_at(b"[1, [2] ,3]", 1, 9) == ([1, [2], 3], 10)
    assert elements_at(b"[1, 2", 1, 9) == ([1], 4)
    assert elements_at(b"[1, 2, ", 1, 9) == ([1], 4)
    assert members_at(b'{"a" : 1, "b":2}', 1, 9) == ({"a": 1, "b": 2}, 15)
    assert members_at(b'{"\xc3\xa4": "\xc3\xa4", "b": [[[]]]}', 1, 2) == ({"\u00e4": "\u00e4"}, 13)
    long = b'[1, "' + b"x" * window_bytes + b'"]'
    assert elements_at(long, 1, 9) == ([1], 4)
    assert elements_at(long, 4, 9) == ([], 4)
    assert elements_at(b'["\xff"]', 1, 9) == ([], 1)


@pytest.mark.parametrize("between", [",", ", ", " ,\n"])
def test_a_list_of_objects_is_read_as_far_as_they_stand_whole_however_they_are_separated(
    between: str, window_bytes: int
) -> None:
    devices = [{"id": number, "ports": [{"id": 1}, {"id": 2}], "name": "a},{b"} for number in range(2000)]
    text = ("[" + between.join(map(json.dumps, devices)) + "]").encode()
    values, end = elements_at(text, 1, 9)
    assert values == devices[: len(values)]
    assert json.loads(b"[" + text[end:]) == devices[len(values) :]
    # Less than one more could have been read.
    assert end + len(json.dumps(devices[0])) + len(between) + 6 > window_bytes or not values


def test_a_list_of_objects_that_is_nested_too_deep_is_left_to_the_caller(window_bytes: int) -> None:
    shallow, deep = '{"a": [1]}', '{"a": [[1]]}'
    text = f"[{shallow}, {shallow}, {deep}, {shallow}, {shallow}]".encode()
    values, _ = elements_at(text, 1, 2)
    assert values in ([], [{"a": [1]}], [{"a": [1]}] * 2)
    assert len(elements_at(text, 1, 4)[0]) == (5 if window_bytes > len(text) else len(values))


@given(st.recursive(st.integers() | st.text("a[{", max_size=2), st.lists, max_leaves=9), st.integers(0, 6))
def test_how_deep_a_value_is_is_counted_as_by_recursion(value: Any, levels: int) -> None:
    def depth(inner: Any) -> int:
        return 1 + max(map(depth, inner), default=0) if isinstance(inner, list) else 1

    assert json_window.is_deeper_than(levels, value) == (depth(value) > levels)


LONG = "y" * 300_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps({"notes": LONG}), set()),
        (json.dumps({"notes": f"{LONG}\n\t{LONG}"}), set()),
        (json.dumps({"notes": LONG + "https://u:hunter-2@h/"}), {"hunter-2"}),
        (json.dumps({"notes": LONG + "https://u:hunter-2@h/"}).replace("//u", "\\/\\/u"), {"hunter-2"}),
        (json.dumps({"notes": LONG + "https://u:hunter-2@h/"}).replace(":/", "\\u003a/"), {"hunter-2"}),
        (json.dumps({"password": LONG}), {LONG}),
        (json.dumps({"password": {"inner": [LONG]}}), {LONG}),
        (json.dumps({"devices": [{"notes": LONG, "password": "hunter-2"}]}), {"hunter-2"}),
    ],
    ids=["plain", "lines", "address", "solidus", "escape", "secret", "below a secret", "beside a secret"],
)
def test_the_secrets_in_a_long_text_are_found_as_in_a_short_one(text: str, found: set[str]) -> None:
    assert outcome_of(secrets_in_steps(text.encode(), BUILT_IN)) == found
    assert set(secrets_in(json.loads(text), BUILT_IN)) == found
