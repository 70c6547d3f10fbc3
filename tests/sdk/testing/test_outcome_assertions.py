"""`outcome.assert_...`: each holds for what it is about, and says all that is known where it does not."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from sdk import EntityAcquireByElasticQuery
from sdk.acquire_items import wire_items
from sdk.testing import BlockOutcome, LogLine, Stall

STACK = 'Thread 0x1 (most recent call first):\n  File "/srv/blocks/slow.py", line 12 in wait\n'


def place() -> None:
    """A function to stall in."""


def outcome(**parts: Any) -> BlockOutcome:
    given = {
        "success": True,
        "cause": "completed",
        "message": "Done",
        "logs": (LogLine(20, "seen in the log"),),
    }
    return BlockOutcome(**{**given, **parts})


PATCH = {"operation": "patch", "entity": "device", "id": 7, "path": "vendor", "value": "Acme"}
OTHER = {"operation": "patch", "entity": "device", "id": 8, "path": "vendor", "value": "Emu"}
RAISED = {
    "success": False,
    "cause": "block_raised",
    "message": "acme/x raised KeyError: 'port' (x.py:3 in run)",
}
HUNG = {"success": False, "cause": "time_limit", "message": "Killed at its time limit", "killed": True}
CRASHED = {"success": False, "cause": "crashed", "message": "Crashed", "signal_name": "SIGSEGV"}
STALLED = {"stalls": (Stall(1.0, STACK),)}
HERE = f'  File "{__file__}", line 5 in place\n'
QUERY = EntityAcquireByElasticQuery(entity="device", query="vendor:acme")
ACQUIRED = {
    "job_type": "acquire",
    "acquires": wire_items([QUERY]),
}

Check = Callable[[BlockOutcome], object]
HOLD_AND_FAIL: list[tuple[str, Check, dict[str, Any], dict[str, Any], str]] = [
    ("succeeded", lambda o: o.assert_succeeded(), {}, RAISED, "expected to succeed"),
    ("data", lambda o: o.assert_succeeded({"a": 1}), {"data": {"a": 1}}, {"data": {"a": 2}}, '+   "a": 2'),
    ("failed", lambda o: o.assert_failed(), HUNG, {}, "expected to fail"),
    ("failed with", lambda o: o.assert_failed("time lim.t"), HUNG, RAISED, "does not match 'time lim.t'"),
    ("raised", lambda o: o.assert_raised(KeyError, "port"), RAISED, HUNG, "expected to raise KeyError"),
    (
        "raised another",
        lambda o: o.assert_raised("KeyError"),
        RAISED,
        {**RAISED, "message": "x raised OSError"},
        "raise",
    ),
    (
        "raised, and the text names another",
        lambda o: o.assert_raised("ValueError"),
        {**RAISED, "message": "x while acquiring raised ValueError"},
        {**RAISED, "message": "x raised OSError: the device raised ValueError y"},
        "raise",
    ),
    (
        "raised, and not one whose name begins so",
        lambda o: o.assert_raised(OSError),
        {**RAISED, "message": "x raised OSError (x.py:3 in run)"},
        {**RAISED, "message": "x raised OSErrorOfMine"},
        "raise",
    ),
    (
        "true is not 1",
        lambda o: o.assert_succeeded({"a": [{"b": True, "c": 1}]}),
        {"data": {"a": [{"c": 1.0, "b": True}]}},
        {"data": {"a": [{"c": 1, "b": 1}]}},
        '+       "b": 1',
    ),
    (
        "false is not 0 in an update",
        lambda o: o.assert_updates([{**PATCH, "value": False}]),
        {"db_updates": [{**PATCH, "value": False}]},
        {"db_updates": [{**PATCH, "value": 0}]},
        "value",
    ),
    (
        "updates whose keys stand in another order",
        lambda o: o.assert_updates([dict(reversed(PATCH.items())), OTHER]),
        {"db_updates": [OTHER, PATCH]},
        {"db_updates": [OTHER, OTHER]},
        "updates",
    ),
    ("killed", lambda o: o.assert_killed(), HUNG, CRASHED, "ended by a limit"),
    (
        "killed by",
        lambda o: o.assert_killed(by="time limit"),
        HUNG,
        {**HUNG, "cause": "memory_limit"},
        "time limit",
    ),
    (
        "crashed",
        lambda o: o.assert_crashed("SIGSEGV"),
        CRASHED,
        {**CRASHED, "signal_name": "SIGABRT"},
        "SIGSEGV",
    ),
    ("stalled", lambda o: o.assert_stalled(), STALLED, {}, "expected to stall"),
    (
        "stalled at a line",
        lambda o: o.assert_stalled(at="slow.py:12"),
        STALLED,
        {"stalls": (Stall(1, HERE),)},
        "here:",
    ),
    (
        "stalled in a name",
        lambda o: o.assert_stalled(at="wait"),
        STALLED,
        {"stalls": (Stall(1, HERE),)},
        "place",
    ),
    (
        "stalled in it",
        lambda o: o.assert_stalled(at=place),
        {"stalls": (Stall(1, HERE),)},
        STALLED,
        "line 12 in wait",
    ),
    ("did not stall", lambda o: o.assert_not_stalled(), {}, STALLED, "line 12 in wait"),
    ("logged", lambda o: o.assert_logged("in the"), {}, {"logs": ()}, "contains 'in the'"),
    (
        "logged pattern",
        lambda o: o.assert_logged(re.compile("^seen")),
        {},
        {"logs": (LogLine(20, "x seen"),)},
        "seen",
    ),
    (
        "level",
        lambda o: o.assert_logged("log", level="info"),
        {},
        {"logs": (LogLine(30, "log"),)},
        "level info",
    ),
    ("not logged", lambda o: o.assert_not_logged("else"), {}, {"logs": (LogLine(20, "else"),)}, "INFO: else"),
    (
        "updates",
        lambda o: o.assert_updates([OTHER, PATCH]),
        {"db_updates": [PATCH, OTHER]},
        {},
        '-     "id": 8',
    ),
    ("no updates", lambda o: o.assert_updates([]), {}, {"db_updates": [PATCH]}, "Acme"),
    ("acquired", lambda o: o.assert_acquired(QUERY), ACQUIRED, {**ACQUIRED, "acquires": None}, "vendor:acme"),
    ("acquired, is none", lambda o: o.assert_acquired(), {"job_type": "acquire"}, {}, "was no acquire"),
    ("rolled back", lambda o: o.assert_rolled_back("Don"), {"job_type": "rollback"}, {}, "was no rollback"),
]


@pytest.mark.parametrize(
    ("check", "holds", "fails", "said"), [each[1:] for each in HOLD_AND_FAIL], ids=lambda x: ""
)
def test_an_assertion_holds_or_says_what_it_found(
    check: Check, holds: dict[str, Any], fails: dict[str, Any], said: str
) -> None:
    good = outcome(**holds)
    assert check(good) is good
    with pytest.raises(AssertionError, match=re.escape(said)) as caught:
        check(outcome(**fails))
    assert f"cause: {outcome(**fails).cause}" in str(caught.value)


def test_a_limit_that_there_is_none_of_is_a_mistake_of_the_test() -> None:
    with pytest.raises(ValueError, match="time limit, memory limit"):
        outcome().assert_killed(by="boredom")


def test_a_failed_assertion_shows_the_log() -> None:
    with pytest.raises(AssertionError, match="INFO: seen in the log"):
        outcome().assert_failed()


def test_the_updates_of_one_entity_are_its_paths_and_values() -> None:
    created = {"operation": "create", "entity": "device", "value": {}}
    found = outcome(db_updates=[created, PATCH, OTHER])
    assert found.updates_of(7) == {"vendor": "Acme"}
    assert found.updates_of(7, "interface") == {}
    assert outcome().updates_of(7) == {}


def test_levels_of_the_log_are_read_by_their_names() -> None:
    """Those that `logging` has no name for included: a block may log at any number."""
    lines = [{"level": name, "message": "said"} for name in ("DEBUG", "WARNING", "Level 25")]
    answer = {"success": True, "cause": "completed", "message": "Done", "stalls": [], "logs": lines}
    assert BlockOutcome.from_answer(answer).logs == (
        LogLine(10, "said"),
        LogLine(30, "said"),
        LogLine(25, "said"),
    )
