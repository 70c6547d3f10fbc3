"""JSON that is read piece by piece: it is taken for JSON when the parser of small texts takes it, in small steps."""

import itertools
import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic_core import from_json

from supervisor.job import json_pieces
from supervisor.job.json_pieces import ANY, PIECE_BYTES, NotJsonError, Scanner

scalars = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(allow_nan=False, allow_infinity=False),
    some.text(),
)
values = some.recursive(
    scalars, lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner), max_leaves=40
)
written = some.builds(
    lambda value, indent, is_ascii: json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode(
        errors="replace"
    ),
    values,
    some.sampled_from([None, 0, 1]),
    some.booleans(),
)


def is_json(text: bytes) -> bool:
    try:
        for _ in Scanner(text).steps(ANY):
            pass
    except NotJsonError:
        return False
    return True


def is_taken_by_the_parser(text: bytes) -> bool:
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def is_large(text: bytes) -> bool:
    """Whether a number in it may be too large for a double: what the parser turns into infinity is not taken."""
    return re.search(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{300}", text) is not None


@pytest.fixture(params=[12, PIECE_BYTES], scope="module")
def piece_bytes(request: pytest.FixtureRequest) -> object:
    """Pieces that end everywhere in a text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "PIECE_BYTES", request.param)
        yield request.param


@pytest.mark.usefixtures("piece_bytes")
@given(written)
def test_json_is_taken(text: bytes) -> None:
    assert is_json(text)


@pytest.mark.usefixtures("piece_bytes")
@given(written, some.data())
def test_what_is_taken_is_what_the_parser_takes(text: bytes, data: some.DataObject) -> None:
    at = data.draw(some.integers(0, len(text)))
    piece = data.draw(
        some.sampled_from(
            [b"", b",", b"]", b"}", b"[", b"{", b'"', b"\\", b":", b"0", b"-", b"\xff", b" ", b"e"]
        )
    )
    broken = text[:at] + piece + text[at + data.draw(some.integers(0, 2)) :]
    assert is_json(broken) == is_taken_by_the_parser(broken) or (not is_json(broken) and is_large(broken))


@pytest.mark.usefixtures("piece_bytes")
@given(some.text('[]{},:"1e.-0 nulltrefas\\', max_size=12))
def test_any_text_is_judged_as_by_the_parser(text: str) -> None:
    assert is_json(text.encode()) == is_taken_by_the_parser(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"{}," * 400_000 + b"{}]",
        b'"' + b"\\u0041" * 200_000 + b'"',
        b"[" * 150 + b"1," * 400_000 + b"1" + b"]" * 150,
        b"[" + b"[[[[1]]]]," * 30_000 + b"1]",
        b"[" + (b"[" + b"1," * 17_000 + b"[[[[1]]]]],") * 20 + b"1]",
        b'{"' + b"a" * 1_000_000 + b'":1}',
        b"[" + b" " * 1_000_000 + b"]",
    ],
)
def test_each_step_is_short(text: bytes) -> None:
    def longest() -> float:
        steps, times = Scanner(text).steps(ANY), [time.thread_time()]
        for _ in steps:
            times.append(time.thread_time())
        times.append(time.thread_time())
        return max(after - before for before, after in itertools.pairwise(times))

    # A few milliseconds. All of it takes 50 to 500.
    assert min(longest() for _ in range(3)) < 0.04
