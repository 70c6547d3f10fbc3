"""Whatever a block puts into its result: it is written as JSON, or refused with its place and what to do.

Each in a child of its own, as in production.
"""

from pathlib import Path
from typing import Any

import pytest

from sdk.testing import BlockOutcome, BlockRunner

SOURCE = Path(__file__).with_name("bad_blocks")

WRITTEN: dict[str, Any] = {
    "uuid": "00000000-0000-0000-0000-000000000001",
    "set": [1, 2, 3],
    "frozenset": ["a"],
    "datetime": "2026-01-02T03:04:05+00:00",
    "date": "2026-01-02",
    "time": "03:04:05",
    "timedelta": "P1DT2.5S",
    "decimal": "1.50",
    "enum": "red",
    "path": "/a/b",
    "dataclass": {"width": 1, "inside": {"width": 2, "inside": None}},
    "ipv4 address": "192.0.2.1",
    "ipv6 address": "2001:db8::1",
    "ipv4 network": "192.0.2.0/24",
    "ipv6 network": "2001:db8::/32",
    "ipv4 interface": "192.0.2.1/24",
    "ipv6 interface": "2001:db8::1/64",
    "utf-8 bytes": "grün",
    "other bytes": "/wA=",
    "int keys": {"1": "a", "2": "red"},
    "enum key": {"red": 1},
    "lone surrogate": "half \ufffd pair",
    "lone surrogate key": {"half \ufffd": 1},
    "large int": 2**70,
    "deep enough": [[[[["five"]]]]],
}

REFUSED: dict[str, tuple[str, str]] = {
    "nan": ("data.value.rate[1]", "nan is no JSON number; use None or a text"),
    "inf": ("data.value", "inf is no JSON number; use None or a text"),
    "decimal nan": ("data.value", "NaN is no JSON number; use None or a text"),
    "complex": ("data.value", "complex is no type that JSON has; use str(...)"),
    "none key": ("data.value[None]", "a key of type NoneType can't be an object's key; use a str"),
    "tuple key": ("data.value[(1, 2)]", "a key of type tuple can't be an object's key; use a str"),
    "colliding keys": ("data.value", "two of its keys become one"),
    "huge int": ("data.value", "an integer of more than 4300 digits; give it as text"),
    "deep": ("data.value[0][0]", "nested more than 100 levels deep"),
    "circle": ("data.value.list[0].again", "it contains itself; leave the way back out"),
    "object": ("data.value.seen[0]", ": values.Unwritable is no type that JSON has; use str(...)"),
    "class": ("data.value", "it is the class values.Unwritable itself; call it to make one"),
    "function": ("data.value", "function is no type that JSON has"),
    "generator": ("data.value", "a generator or an open file is no type that JSON has; use list(...)"),
    "open file": ("data.value", "a generator or an open file is no type that JSON has"),
    "exception": ("data.value", ": ValueError is no type that JSON has; use str(...)"),
}


def run(block_runner: BlockRunner, which: str) -> BlockOutcome:
    return block_runner.run("bad/value:1.0.0", {"which": which}, source=SOURCE)


@pytest.mark.parametrize("which", WRITTEN)
def test_a_value_with_a_sensible_form_in_json_arrives_in_it(block_runner: BlockRunner, which: str) -> None:
    outcome = run(block_runner, which)
    assert outcome.success, outcome.report()
    assert outcome.data == {"value": WRITTEN[which]}


@pytest.mark.parametrize("which", REFUSED)
def test_a_value_without_one_is_a_failure_that_says_where_and_why(
    block_runner: BlockRunner, which: str
) -> None:
    place, why = REFUSED[which]
    outcome = run(block_runner, which)
    assert (outcome.success, outcome.cause, outcome.retryable) == (False, "block_failed", False)
    assert outcome.message.startswith(f"bad/value:1.0.0: {place}")
    assert why in outcome.message
    assert len(outcome.message) < 600
    assert [line.message for line in outcome.logs] == [outcome.message]


def test_a_result_over_the_cap_is_a_failure_that_says_what_in_it_is_large(block_runner: BlockRunner) -> None:
    outcome = run(block_runner, "50 MB")
    assert (outcome.success, outcome.cause, outcome.retryable) == (False, "block_failed", False)
    assert outcome.message == (
        "bad/value:1.0.0 returned 50000043 bytes of JSON; this worker sends at most 8388608. "
        "Most of it is data.value, 50000024 characters. Return less, or raise --max-result-mb."
    )
    assert outcome.data is None


def test_a_result_that_there_is_no_memory_to_write_is_a_failure_that_says_so(
    block_runner: BlockRunner,
) -> None:
    outcome = run(block_runner, "1000 MB")
    assert (outcome.success, outcome.cause, outcome.data) == (False, "block_failed", None)
    assert outcome.message.startswith(
        "bad/value:1.0.0 returned a result for which its process has not enough memory: it could not be "
        "written as JSON. Return less."
    )
