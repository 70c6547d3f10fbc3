"""What a block returns, as JSON."""

import dataclasses
import enum
import ipaddress
import json
import math
import pathlib
import re
import uuid
from collections import OrderedDict, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, Field, RootModel, SecretStr, computed_field, field_serializer

from sdk import SdkError
from sdk.encoding import MAX_DEPTH, to_json, to_plain
from sdk.errors import EncodingError


class Colour(enum.Enum):
    RED = "red"


class Rank(enum.IntEnum):
    FIRST = 1


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Box:
    width: int
    inside: Any = None


class Model(BaseModel):
    value: Any = None
    other: Any = Field(default=None, alias="otherOne")


class Shouting(BaseModel):
    text: str

    @field_serializer("text")
    def shout(self, text: str) -> str:
        return text.upper()


class Numbers(RootModel[list[int]]):
    pass


WRITTEN = [
    (None, None),
    (True, True),
    (5, 5),
    (2**70, 2**70),
    (1.5, 1.5),
    ("ü", "ü"),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4, 5), "03:04:05"),
    (timedelta(days=1, seconds=2, microseconds=500_000), "P1DT2.5S"),
    (timedelta(seconds=-90), "-PT90S"),
    (timedelta(0), "PT0S"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.50"), "1.50"),
    (pathlib.Path("/a/b"), "/a/b"),
    (ipaddress.ip_address("192.0.2.1"), "192.0.2.1"),
    (ipaddress.ip_network("2001:db8::/32"), "2001:db8::/32"),
    (ipaddress.ip_interface("192.0.2.1/24"), "192.0.2.1/24"),
    (AnyUrl("http://example.org/a"), "http://example.org/a"),
    (SecretStr("hunter2"), "**********"),
    (re.compile("a+"), "a+"),
    (b"plain", "plain"),
    (b"\xff\x00", "/wA="),
    (bytearray(b"plain"), "plain"),
    (Colour.RED, "red"),
    (Rank.FIRST, 1),
    (Point(1, 2), [1, 2]),
    ((1, (2,)), [1, [2]]),
    (deque([1]), [1]),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset({"a"}), ["a"]),
    (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (MappingProxyType({"a": 1}), {"a": 1}),
    (Box(1, Box(2)), {"width": 1, "inside": {"width": 2, "inside": None}}),
    (Model(value=Colour.RED, otherOne={1}), {"value": "red", "other": [1]}),
    (Shouting(text="a"), {"text": "A"}),
    (Numbers([1, 2]), [1, 2]),
    ({Colour.RED: 1, Rank.FIRST: 2, False: 3}, {"red": 1, "1": 2, "false": 3}),
    ("half \ud83d pair", "half \ufffd pair"),
]


@pytest.mark.parametrize(("value", "expected"), WRITTEN, ids=[repr(value)[:40] for value, _ in WRITTEN])
def test_a_value_that_json_has_a_form_for_is_written(value: Any, expected: Any) -> None:
    assert json.loads(to_json(value)) == expected
    assert json.loads(to_json(Model(value=value)))["value"] == expected


@pytest.mark.parametrize(
    ("key", "part"),
    [("k" * 60, "." + "k" * 60), ("k" * 61, "." + "k" * 60), (("k" * 99,), "[('" + "k" * 58 + "]")],
)
def test_of_a_long_key_the_path_shows_the_beginning(key: Any, part: str) -> None:
    with pytest.raises(EncodingError) as caught:
        to_plain({key: object()})
    assert str(caught.value).startswith(f"value{part} can't be written")


@pytest.mark.parametrize(("over", "mark"), [(0, ""), (1, "…")])
def test_a_path_is_cut_at_its_longest(over: int, mark: str) -> None:
    root = "r" * (200 + over - len(".a"))
    with pytest.raises(EncodingError) as caught:
        to_plain({"a": object()}, root)
    assert caught.value.path == f"{root}.a"[:200] + mark


def test_what_is_in_a_set_comes_in_the_order_of_its_json_whatever_the_order_of_its_fields() -> None:
    @dataclasses.dataclass(frozen=True)
    class Pair:
        z: int
        a: int

    assert to_plain({Pair(1, 2), Pair(2, 1), Pair(3, 0)}) == [
        {"z": 3, "a": 0},
        {"z": 2, "a": 1},
        {"z": 1, "a": 2},
    ]


def test_a_field_that_holds_another_type_than_declared_is_written_without_a_warning() -> None:
    """Warnings of pydantic quote the value, which may be a password; here each would be an error."""
    assert json.loads(to_json(Numbers.model_construct(["x"]))) == ["x"]


REFUSED = [
    (math.nan, "", "nan"),
    ({"a": [1, {"b": math.inf}]}, ".a[1].b", "inf"),
    (Model(value=[-math.inf]), ".value[0]", "-inf"),
    (Decimal("NaN"), "", "NaN"),
    ({"a": object()}, ".a", "object is no type"),
    (Model(value=lambda: 1), ".value", "function"),
    ((1, Model), "[1]", "Model itself; call it"),
    ({"a": {None: 1}}, ".a[None]", "NoneType"),
    ({1.5: 1}, "[1.5]", "float"),
    ({(1, 2): 1}, "[(1, 2)]", "tuple"),
    ({1: "a", "1": "b"}, "", "two of its keys"),
    (10**5000, "", "digits"),
    ((each for each in ()), "", "generator"),
]


@pytest.mark.parametrize(("value", "path", "reason"), REFUSED, ids=[reason for _, _, reason in REFUSED])
def test_a_value_that_json_has_no_form_for_is_refused_with_its_path(
    value: Any, path: str, reason: str
) -> None:
    with pytest.raises(EncodingError) as caught:
        to_json(value, "data")
    assert caught.value.path == f"data{path}"
    assert reason in caught.value.reason
    assert isinstance(caught.value, SdkError)


def test_a_circle_is_refused_and_the_same_value_twice_is_not() -> None:
    circle: list[Any] = [1]
    circle.append({"again": circle})
    with pytest.raises(EncodingError, match="contains itself") as caught:
        to_json(circle)
    assert caught.value.path == "value[1].again"
    shared = [1]
    assert to_json([shared, shared]) == "[[1],[1]]"


def test_a_circle_inside_a_model_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(EncodingError):
        to_json(Model(value=circle))


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_nesting_is_allowed_up_to_the_limit_and_refused_beyond() -> None:
    assert to_json(nested(MAX_DEPTH)) == "[" * MAX_DEPTH + "]" * MAX_DEPTH
    for levels in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(EncodingError, match="nested more than 100 levels"):
            to_json(nested(levels))


def test_a_serializer_that_fails_is_an_encoding_error_with_its_path() -> None:
    class Broken(BaseModel):
        text: str = ""

        @field_serializer("text")
        def fail(self, text: str) -> str:
            raise RuntimeError

    with pytest.raises(EncodingError) as caught:
        to_json([Broken()])
    assert caught.value.path == "value[0]"
    assert "Broken can't be dumped: Error calling function `fail`: RuntimeError" in caught.value.reason


def test_a_lack_of_memory_is_not_taken_for_a_value_that_can_not_be_written() -> None:
    class Large(BaseModel):
        @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
        @property
        def text(self) -> str:
            raise MemoryError

    with pytest.raises(MemoryError):
        to_json([Large()])


def test_of_what_pydantic_lets_through_from_a_computed_field_the_type_alone_is_told() -> None:
    class Broken(BaseModel):
        @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
        @property
        def text(self) -> str:
            raise KeyError("swordfish-7")

    with pytest.raises(EncodingError) as caught:
        to_json([Broken()])
    assert caught.value.reason == "Broken can't be dumped: KeyError"


def test_the_order_of_a_set_is_the_same_in_every_process() -> None:
    assert to_json({"x", "y", "z", "a", 1, (2, 3)}) == '["a","x","y","z",1,[2,3]]'


def test_letters_of_all_scripts_are_written_as_they_are() -> None:
    assert to_json({"ü": "日本😀"}) == '{"ü":"日本😀"}'


def test_integers_stay_integers_and_floats_floats() -> None:
    assert to_json([0, 0.0, 10**20]) == "[0,0.0,100000000000000000000]"
    assert to_json({True: [True, False, Rank.FIRST]}) == '{"true":[true,false,1]}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_what_is_json_already_comes_back_as_it_was(value: Any) -> None:
    assert json.loads(to_json(value)) == value
    assert to_plain(value) == value


@given(st.text(alphabet=st.characters(categories=["Cs", "L", "Cc"])))
def test_every_text_becomes_valid_utf8(text: str) -> None:
    assert json.loads(to_json(text).encode("utf-8")) if text else to_json(text) == '""'
