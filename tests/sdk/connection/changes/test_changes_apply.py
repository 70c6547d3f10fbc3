"""A plan, sent line by line: what it shows, what stops it, and what is said of a device that has half of it."""

import re

import pytest
from device_model import DIALECT, ModelDevice

from sdk.connection.causes import Cause
from sdk.connection.changes.apply import apply_plan
from sdk.connection.changes.errors import (
    ChangeInterruptedError,
    ConfigurationChangedError,
    LineRefusedError,
    NoConfirmTimerError,
)
from sdk.connection.changes.plan import LinesError, Plan, plan_lines
from sdk.connection.deadline import Deadline
from sdk.connection.errors import fail

BEFORE = "hostname lab1\nport 1\n one1 a\n many x\nport 2\nlist 1\n many a\n many b\n"


def _planned(device: ModelDevice, lines: str) -> Plan:
    return plan_lines(device.text(), lines, DIALECT)


def _lost() -> Exception:
    return fail(Cause.CONNECTION_LOST, "model", what="the command 'x password hunter2'")


def test_a_plan_shows_the_lines_to_send_and_what_should_come_of_them() -> None:
    plan = _planned(ModelDevice(BEFORE), "port 1\n one1 b\n no many x\n!\nport 2\n many y\n exit\nend")
    assert [str(line) for line in plan.commands] == [
        "port 1 / one1 b",
        "port 1 / no many x",
        "port 2 / many y",
    ]
    assert plan.diff.splitlines()[2:] == [
        "@@ -1,7 +1,7 @@",
        " hostname lab1",
        " port 1",
        "- one1 a",
        "- many x",
        "+ one1 b",
        " port 2",
        "+ many y",
        " list 1",
        "  many a",
    ]


def test_lines_that_are_there_are_not_sent() -> None:
    plan = _planned(ModelDevice(BEFORE), "hostname lab1\nport 1\n one1 a\n no one1\n one1 a")
    assert [str(line) for line in plan.commands] == ["port 1 / no one1", "port 1 / one1 a"]
    assert [str(line) for line in plan.without_effect] == ["hostname lab1", "port 1 / one1 a"]
    assert _planned(ModelDevice(BEFORE), "port 1\n many x").is_empty


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "no lines"),
        ("! only a comment\n", "no lines"),
        ("hostname x\ndo reload", "no line of configuration"),
        ("configure terminal\nhostname x", "no line of configuration"),
        ("port ?", "help"),
        ("hostname a\x03b", "control characters"),
    ],
)
def test_lines_that_can_not_be_sent_are_refused_with_their_reason(lines: str, said: str) -> None:
    with pytest.raises(LinesError, match=said):
        _planned(ModelDevice(BEFORE), lines)


def test_an_applied_plan_says_what_really_changed_and_which_lines_are_never_shown() -> None:
    device = ModelDevice(BEFORE)
    plan = _planned(device, "port 1\n one1 b\nbanner motd x\nno on1\nno banner motd y")
    applied = apply_plan(device, plan, deadline=Deadline(10))
    assert [line for line in applied.diff.splitlines() if line[0] in "+-"][2:] == [
        "- one1 a",
        "+ one1 b",
        "+no on1",
    ]
    assert [str(line) for line in applied.comparison.not_shown] == ["banner motd x", "no banner motd y"]
    assert applied.comparison.unforeseen == ()
    assert applied.refused is None


def test_what_the_device_does_beside_what_was_foretold_is_told() -> None:
    device = ModelDevice("peer 1 as\npeer 1 text\nmany z")
    plan = _planned(device, "no peer 1 as")
    assert "peer 1 text" in plan.diff
    device.dialect = None  # type: ignore[assignment]
    del device.dialect
    take = device._take
    device._take = lambda section, text: take(section, text) or take(section, "many q")  # type: ignore[method-assign]
    applied = apply_plan(device, plan, deadline=Deadline(10))
    assert applied.comparison.unforeseen == ("+ many q",)
    assert not applied.comparison.is_as_foretold


def test_a_device_that_somebody_has_changed_since_the_plan_gets_no_line() -> None:
    device = ModelDevice(BEFORE)
    plan = _planned(device, "port 1\n one1 b")
    device.load("port 2\n many of another\n")
    with pytest.raises(ConfigurationChangedError) as caught:
        apply_plan(device, plan, deadline=Deadline(10))
    assert device.sent == []
    assert caught.value.retryable


def test_the_first_refused_line_stops_is_named_with_the_words_and_all_is_taken_back() -> None:
    device = ModelDevice(BEFORE)
    before = device.root.text()
    plan = _planned(device, "port 1\n one1 b\nlist 1\n bad idea\nhostname never")
    with pytest.raises(LineRefusedError) as caught:
        apply_plan(device, plan, deadline=Deadline(10))
    error = caught.value
    assert "line 2 of 3" in str(error)
    assert "list 1 / bad idea" in str(error)
    assert "% Unknown command: bad idea" in str(error)
    assert "as it was before" in str(error)
    assert device.root.text() == before
    assert "hostname never" not in device.sent
    assert error.applied is not None
    assert error.applied.refused is not None
    assert str(error.applied.refused.line) == "list 1 / bad idea"
    assert [str(line) for line in error.applied.applied] == ["port 1 / one1 b"]
    assert not error.retryable


def test_what_an_undo_can_not_take_back_is_listed() -> None:
    device = ModelDevice(BEFORE)
    plan = _planned(device, "many stuck\nbad idea")
    device.refuse = re.compile(r"bad.*|no many stuck")
    with pytest.raises(LineRefusedError, match=r"NOT as it was before.*\(-\): -many stuck\."):
        apply_plan(device, plan, deadline=Deadline(10))


def test_an_undo_after_which_a_line_stands_in_another_place_names_it_and_does_not_say_as_before() -> None:
    device = ModelDevice("port 1\n many a\n many b\n")
    plan = _planned(device, "port 1\n no many a\nbad idea")
    with pytest.raises(LineRefusedError) as caught:
        apply_plan(device, plan, deadline=Deadline(10), confirm_seconds=60)
    assert device.root.text() == "port 1\n many b\n many a\n"
    assert "as it was before" not in str(caught.value)
    assert "But some lines stand in another place than before: port 1 / many a. Look" in str(caught.value)
    assert device.timer is None
    assert caught.value.applied is not None
    restoration = caught.value.applied.restoration
    assert restoration is not None
    assert (restoration.is_restored, restoration.is_identical) == (True, False)


def test_a_secret_in_a_line_that_stands_in_another_place_is_hidden() -> None:
    device = ModelDevice("x password hunter2\nmany a\n")
    with pytest.raises(LineRefusedError, match=r"another place than before: x password \*\*\*\. Look"):
        apply_plan(device, _planned(device, "no x password hunter2\nbad idea"), deadline=Deadline(10))


def test_a_session_that_ends_between_two_lines_is_told_with_what_is_in_force() -> None:
    device = ModelDevice(BEFORE)
    plan = _planned(device, "hostname a\nport 1\n one1 b\nx password hunter2\nhostname c")
    device.fails_at, device.failure = 2, _lost()
    with pytest.raises(ChangeInterruptedError) as caught:
        apply_plan(device, plan, deadline=Deadline(10))
    text = str(caught.value)
    assert "2 of 4 lines are in force, of line 3 ('x password ***') it is not known" in text
    assert "Nothing takes them back by itself" in text
    assert "hunter2" not in text
    assert not caught.value.retryable
    assert caught.value.applied is not None
    assert [str(line) for line in caught.value.applied.applied] == ["hostname a", "port 1 / one1 b"]


def test_a_session_that_ends_during_a_change_with_a_timer_says_that_the_timer_runs() -> None:
    device = ModelDevice(BEFORE)
    plan = _planned(device, "hostname a\nhostname b")
    device.fails_at, device.failure = 1, _lost()
    with pytest.raises(
        ChangeInterruptedError, match="A timer runs on the device: it restores the configuration 60 s"
    ):
        apply_plan(device, plan, deadline=Deadline(10), confirm_seconds=60)
    assert device.timer is not None


def test_a_session_that_ends_while_lines_are_taken_back_says_both() -> None:
    device = ModelDevice(BEFORE)
    plan = _planned(device, "hostname a\nbad idea")
    device.fails_at, device.failure = 2, _lost()
    with pytest.raises(ChangeInterruptedError, match=r"line 2 of 2 was refused .*could not be taken back"):
        apply_plan(device, plan, deadline=Deadline(10))


def test_a_confirm_time_is_refused_before_anything_is_sent_where_there_is_no_timer() -> None:
    device = ModelDevice(BEFORE)
    device.no_timer_because = "it has none"
    with pytest.raises(NoConfirmTimerError, match="it has none"):
        apply_plan(device, _planned(device, "hostname a"), deadline=Deadline(10), confirm_seconds=60)
    assert device.sent == []


def test_a_refused_line_ends_the_timer_only_if_all_is_as_before() -> None:
    device = ModelDevice(BEFORE)
    with pytest.raises(LineRefusedError):
        apply_plan(device, _planned(device, "many a\nbad b"), deadline=Deadline(10), confirm_seconds=60)
    assert device.timer is None
    device.refuse = re.compile(r"bad.*|no many a")
    with pytest.raises(LineRefusedError, match="A timer runs"):
        apply_plan(device, _planned(device, "many a\nbad b"), deadline=Deadline(10), confirm_seconds=60)
    assert device.timer is not None
