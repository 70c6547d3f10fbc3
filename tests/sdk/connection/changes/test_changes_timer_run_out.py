"""A timer that runs out before its change is confirmed: no line follows, and what the device has then is said."""

import time

import pytest
from device_model import DIALECT, ModelDevice

from sdk.connection import Configuration, Login, connect
from sdk.connection.causes import Cause
from sdk.connection.changes.applied import Progress
from sdk.connection.changes.apply import apply_plan
from sdk.connection.changes.confirm import confirm
from sdk.connection.changes.errors import ChangeInterruptedError, ConfirmedTooLateError
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.changes.plan import Plan, plan_lines
from sdk.connection.changing import Changing
from sdk.connection.deadline import Deadline
from sdk.connection.device import Target
from sdk.connection.errors import fail
from sdk.connection.platforms.ios import Ios
from sdk.testing.devices import EmulatedIos, Faults

BEFORE = "hostname lab1\nport 1\n many x\n"
PASSWORD = "never-to-be-seen-1"


class TimedDevice(ModelDevice):
    """Its time is over behind the line `many b`, at which it takes the change back, or is slow to."""

    def __init__(self, *, is_slow: bool = False) -> None:
        super().__init__(BEFORE)
        self.is_slow = is_slow
        self.progress = Progress()
        self.began = time.monotonic()

    def plan(self, lines: str = "many a\nmany b\nmany c") -> Plan:
        return plan_lines(self.text(), lines, DIALECT)

    def send_config_line(self, line: ConfigurationLine, *, deadline: Deadline) -> str:
        words = super().send_config_line(line, deadline=deadline)
        if line.text == "many b":
            assert self.progress.timer_ends_at is not None
            assert self.began + 60 <= self.progress.timer_ends_at <= time.monotonic() + 60
            self.progress.timer_ends_at = time.monotonic()
            if not self.is_slow:
                self.run_out()
        return words

    def apply(self, seconds: float = 10) -> None:
        apply_plan(self, self.plan(), deadline=Deadline(seconds), confirm_seconds=60, progress=self.progress)


def test_no_line_is_sent_once_the_time_of_the_timer_is_over() -> None:
    device = TimedDevice()
    with pytest.raises(ConfirmedTooLateError) as late:
        device.apply()
    assert device.sent == ["many a", "many b"]
    assert str(late.value) == (
        "model had taken the change back before it was confirmed: its timer of 60 s ran out before line 3 of 3. "
        "Its configuration is as it was before. Allow more seconds, and make the change again."
    )
    assert not late.value.retryable


def test_what_a_device_does_not_take_back_after_the_time_of_its_timer_is_taken_back_by_lines() -> None:
    device = TimedDevice(is_slow=True)
    before = device.root.text()
    with pytest.raises(ConfirmedTooLateError, match=r"ran out before line 3 of 3\. Its configuration is as"):
        device.apply(seconds=2)
    assert "many c" not in device.sent
    assert device.root.text() == before
    assert device.timer is None


def test_a_session_that_ends_after_the_time_of_the_timer_is_told_with_what_is_in_force() -> None:
    device = TimedDevice()
    device.fails_at, device.failure = 2, fail(Cause.CONNECTION_LOST, "model", what="a line")
    with pytest.raises(ChangeInterruptedError, match="2 of 3 lines are in force"):
        device.apply()


def test_a_change_whose_timer_ran_out_in_the_middle_is_not_taken_back_once_more_in_another_session() -> None:
    target = Target(Login(host="192.0.2.1", username="admin", password=PASSWORD), Ios)
    device = TimedDevice()
    change = Changing(target, device.plan(), 60, 10)
    device.progress = change._progress
    with pytest.raises(ConfirmedTooLateError) as late:
        change.verb().run(device, Deadline(10))  # type: ignore[arg-type]  # what is used of a platform
    assert change.rescue(late.value) is None
    assert change.told(late.value) is late.value


def test_a_late_confirmation_lists_what_the_timer_has_not_taken_back() -> None:
    device = ModelDevice(BEFORE)
    applied = apply_plan(
        device,
        plan_lines(device.text(), "many a", DIALECT),
        deadline=Deadline(10),
        confirm_seconds=60,
    )
    device.run_out()
    device.load("many a\nx password hunter2\n")  # as where they were typed after that moment
    with pytest.raises(ConfirmedTooLateError) as late:
        confirm(device, applied, deadline=Deadline(1))
    said = str(late.value)
    assert "has no timer for the change any more, and has not taken all of it back: its timer of 60 s" in said
    assert "NOT as it was before. What is missing (+) and too much (-): -many a; -x password ***." in said
    assert said.endswith("Correct it by hand.")


def test_a_late_confirmation_whose_device_can_not_be_read_says_so() -> None:
    device = ModelDevice(BEFORE)
    plan = plan_lines(device.text(), "many a", DIALECT)
    applied = apply_plan(device, plan, deadline=Deadline(10), confirm_seconds=60)
    device.run_out()
    device.fails_at, device.failure = 0, fail(Cause.CONNECTION_LOST, "model", what="a line")
    with pytest.raises(ConfirmedTooLateError, match=r"60 s has run out\. What it has now could not be read"):
        confirm(device, applied, deadline=Deadline(10))


async def test_a_line_that_came_after_the_timer_of_the_device_is_named_at_the_confirmation() -> None:
    faults = Faults(pause_in="no shutdown", pause_seconds=1.5)
    lines = "interface GigabitEthernet0/2\n description by a change\n no shutdown\nntp server 192.0.2.77"
    async with EmulatedIos("admin", PASSWORD, "r1", faults=faults, minute_seconds=0.5) as device:
        login = Login(host=device.host, port=device.port, username="admin", password=PASSWORD)
        async with connect(login, platform="ios", needs=(Configuration,)) as connection:
            change = await connection.apply(await connection.plan(lines), confirm_seconds=60)
            with pytest.raises(
                ConfirmedTooLateError, match=r"NOT as it was before\..* -ntp server 192.0.2.77"
            ):
                await change.confirm(timeout=5)
        assert "ntp server 192.0.2.77" in device.device.running_config()
