"""What is told of a change while it is made: before its first line, and at each step after it."""

from collections.abc import Iterator

import pytest
from device_model import DIALECT, ModelDevice

from sdk.connection.causes import Cause
from sdk.connection.changes.apply import apply_plan
from sdk.connection.changes.confirm import confirm, undo
from sdk.connection.changes.errors import ChangeInterruptedError, LineRefusedError
from sdk.connection.changes.plan import Plan, plan_lines
from sdk.connection.changes.record import ChangeReport, report_changes
from sdk.connection.changes.restore import roll_back
from sdk.connection.deadline import Deadline
from sdk.connection.errors import ConnectionLostError, fail

BEFORE = "hostname lab1\nport 1\n many x\n"


class Heard:
    """What was told, and how many lines the device had by then."""

    def __init__(self) -> None:
        self.device = ModelDevice(BEFORE)
        self.reports: list[ChangeReport] = []
        self.sent: list[int] = []

    def take(self, report: ChangeReport) -> None:
        self.reports.append(report)
        self.sent.append(len(self.device.sent))

    @property
    def stages(self) -> list[str]:
        return [report.stage.value for report in self.reports]

    def plan(self, lines: str) -> Plan:
        return plan_lines(self.device.text(), lines, DIALECT)


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    report_changes(heard.take)
    yield heard
    report_changes(None)


def test_a_change_is_told_before_its_first_line_and_when_it_is_made(heard: Heard) -> None:
    apply_plan(heard.device, heard.plan("many y\nmany z"), deadline=Deadline(10))
    assert heard.stages == ["changing", "changed"]
    assert heard.sent == [0, 2]
    assert {(report.device, report.lines, report.timer_seconds) for report in heard.reports} == {
        ("model", 2, None)
    }


def test_a_change_with_a_timer_is_told_with_it_until_it_is_confirmed(heard: Heard) -> None:
    applied = apply_plan(heard.device, heard.plan("many y"), deadline=Deadline(10), confirm_seconds=60)
    confirm(heard.device, applied, deadline=Deadline(10))
    assert heard.stages == ["changing", "changed", "changed"]
    assert [report.timer_seconds for report in heard.reports] == [60, 60, None]


def test_an_undo_is_told_before_its_first_line_and_when_nothing_is_left(heard: Heard) -> None:
    plan = heard.plan("many y")
    undo(heard.device, plan, apply_plan(heard.device, plan, deadline=Deadline(10)), deadline=Deadline(10))
    assert heard.stages == ["changing", "changed", "restoring", "over"]
    assert heard.sent[2] == 1
    assert len({report.number for report in heard.reports}) == 1


def test_a_refused_line_leads_to_an_undo_that_is_told(heard: Heard) -> None:
    with pytest.raises(LineRefusedError):
        apply_plan(heard.device, heard.plan("many y\nbad z"), deadline=Deadline(10))
    assert heard.stages == ["changing", "restoring", "over"]


def test_a_change_that_was_cut_off_stays_told(heard: Heard) -> None:
    heard.device.fails_at, heard.device.failure = 1, fail(Cause.CONNECTION_LOST, "model", what="a line")
    with pytest.raises(ChangeInterruptedError):
        apply_plan(heard.device, heard.plan("many y\nmany z"), deadline=Deadline(10))
    assert heard.stages == ["changing"]


def test_a_device_that_refuses_the_configuration_mode_has_no_change_and_the_error_says_why(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*, deadline: Deadline) -> None:
        raise fail(Cause.CONNECTION_LOST, "model", what="configure terminal")

    monkeypatch.setattr(heard.device, "enter_configuration", refuse)
    with pytest.raises(ConnectionLostError):
        apply_plan(heard.device, heard.plan("many y"), deadline=Deadline(10))
    assert heard.stages == []


def test_a_rollback_is_told_unless_there_is_nothing_to_take_back(heard: Heard) -> None:
    stored = heard.device.text()
    roll_back(heard.device, stored, lines="many y", deadline=Deadline(10))
    assert heard.stages == []
    apply_plan(heard.device, heard.plan("many y"), deadline=Deadline(10))
    roll_back(heard.device, stored, lines="many y", deadline=Deadline(10))
    assert heard.stages == ["changing", "changed", "restoring", "over"]
    assert heard.reports[0].number != heard.reports[2].number
