"""Lines that a device takes and shows nowhere: no undo takes them back, and none says that all is as before."""

from typing import Any

import pytest
from device_model import DIALECT, ModelDevice

from sdk.connection import Login
from sdk.connection.causes import Cause
from sdk.connection.changes import confirm
from sdk.connection.changes.apply import apply_plan, take_back
from sdk.connection.changes.comparison import hidden_lines
from sdk.connection.changes.errors import ChangeInterruptedError, LineRefusedError
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.changes.plan import plan_lines, plan_typed
from sdk.connection.changes.record import ChangeRecord
from sdk.connection.changes.restore import roll_back
from sdk.connection.changing import Changing
from sdk.connection.deadline import Deadline
from sdk.connection.device import Target
from sdk.connection.errors import DeviceError, fail
from sdk.connection.platforms.ios import Ios
from sdk.connection.platforms.ios_configuration import IOS
from sdk.testing.devices import Faults
from tests.sdk.connection.connection_support import PASSWORD, saved_ios

BEFORE = "port 1\n one1 a\n"
IN_FORCE = "as it was before. But lines that the device took and does not show may still be in force: "


def test_a_refused_line_names_the_hidden_ones_before_it_without_their_secrets() -> None:
    device = ModelDevice(BEFORE)
    plan = plan_lines(device.text(), "port 1\n one1 b\nbanner password hunter2\nbad idea", DIALECT)
    with pytest.raises(LineRefusedError) as refused:
        apply_plan(device, plan, deadline=Deadline(10))
    assert f"{IN_FORCE}banner password ***. Look at the device." in str(refused.value)
    assert device.root.text() == BEFORE


def test_an_undo_names_what_was_hidden_right_after_the_change() -> None:
    device = ModelDevice(BEFORE)
    plan = plan_lines(device.text(), "many x\nbanner x", DIALECT)
    applied = apply_plan(device, plan, deadline=Deadline(10))
    device.root.lines.pop("many x")  # by somebody else: it was shown all the same
    restoration = confirm.undo(device, plan, applied, deadline=Deadline(10))
    assert [str(line) for line in restoration.not_shown] == ["banner x"]
    assert f"{IN_FORCE}banner x." in str(restoration)


def test_a_change_that_was_made_names_no_line_that_changed_nothing() -> None:
    device = ModelDevice("port 1\n")
    plan = plan_lines(device.text(), "port 1\n no one1\non1\nbanner x", DIALECT)
    applied = apply_plan(device, plan, deadline=Deadline(10))
    assert device.sent == ["port 1 / no one1", "on1", "banner x"]
    assert [str(line) for line in applied.comparison.not_shown] == ["banner x"]


def test_what_an_attempt_before_has_taken_back_is_not_called_hidden() -> None:
    device, record = ModelDevice(BEFORE + "many x\n"), ChangeRecord("model", 1)
    base, taken = DIALECT.read(BEFORE), (ConfigurationLine("many x"),)
    device.fails_at, device.failure = 1, fail(Cause.CONNECTION_LOST, "model", what="the command 'end'")
    with pytest.raises(DeviceError):
        take_back(device, base, None, record, taken=taken, deadline=Deadline(10))
    assert device.root.text() == BEFORE
    device.fails_at = None
    restoration = take_back(device, base, None, record, taken=taken, deadline=Deadline(10))
    assert (restoration.is_restored, restoration.not_shown) == (True, ())


@pytest.mark.parametrize("has_restarted", [False, True])
def test_of_a_device_that_has_restored_itself_meanwhile_nothing_is_called_hidden(has_restarted: bool) -> None:
    device: Any = ModelDevice(BEFORE)
    device.fails_at, device.failure = 2, fail(Cause.CONNECTION_LOST, "model", what="a line")
    plan = plan_lines(device.text(), "banner x\nmany x\nmany y", DIALECT)
    target = Target(Login(host="192.0.2.1", username="admin", password=PASSWORD), Ios)
    change = Changing(target, plan, None, 10.0)
    with pytest.raises(ChangeInterruptedError):
        change.verb().run(device, Deadline(10))
    device.fails_at = None
    if has_restarted:
        device.root.lines.pop("many x")
    restoration = change._take_back(device, Deadline(10))
    assert restoration.is_restored
    assert [str(line) for line in restoration.not_shown] == ([] if has_restarted else ["banner x"])


IOS_CONFIG = "hostname r1\ninterface GigabitEthernet0/1\n description uplink\nusername ada secret 9 $9$old\n"


@pytest.mark.parametrize(
    ("lines", "shown", "hidden"),
    [
        # Where VLANs are in a file of their own.
        ("vlan 50\n name lab", "", ["vlan 50", "vlan 50 / name lab"]),
        ("no vlan 50", "", ["no vlan 50"]),
        ("snmp-server user u g v3 auth sha x", "", ["snmp-server user u g v3 auth sha x"]),
        # In another form.
        ("username bob secret x", "username bob secret 9 $9$x\n", []),
        ("int gi0/2\n description x", "interface GigabitEthernet0/2\n description x\n", []),
        # What changes nothing.
        ("interface GigabitEthernet0/1\n no shutdown\n cdp enable", "", []),
    ],
)
def test_a_line_is_hidden_if_nothing_that_came_may_be_its_other_form(
    lines: str, shown: str, hidden: list[str]
) -> None:
    sent = plan_lines(IOS_CONFIG, lines, IOS).commands
    assert sent
    found = hidden_lines(IOS.read(IOS_CONFIG), IOS.read(IOS_CONFIG + shown), sent, IOS)
    assert [str(line) for line in found] == hidden


def test_of_lines_as_a_person_types_them_none_is_called_hidden() -> None:
    plan = plan_typed(IOS_CONFIG, "interface GigabitEthernet0/1\ndescription x\nno shutdown", IOS)
    assert hidden_lines(plan.base, plan.base, plan.commands, IOS) == ()


async def test_over_ssh_the_lines_are_told_by_the_refusal_the_undo_and_the_session_that_takes_back() -> None:
    lines = "ntp server 192.0.2.77\nvlan 50"
    async with saved_ios(Faults(outputs={"vlan 50": ""})) as (device, connection):
        before = device.device.running_config()
        with pytest.raises(LineRefusedError, match=IN_FORCE + "vlan 50"):
            await connection.apply(await connection.plan(f"{lines}\nfrobnicate 7"))
        change = await connection.apply(await connection.plan(lines))
        assert IN_FORCE + "vlan 50" in str(await change.undo())
        device.faults = Faults(outputs={"vlan 50": ""}, drop_mid_command="ntp server 192.0.2.78")
        with pytest.raises(ChangeInterruptedError, match=IN_FORCE + "vlan 50"):
            await connection.apply(await connection.plan(f"{lines}\nntp server 192.0.2.78"))
        assert device.device.running_config() == before


def test_a_rollback_names_what_was_sent_and_is_never_shown_and_nothing_that_never_was_sent() -> None:
    device = ModelDevice(BEFORE)
    lines = "banner x\nmany ours\nbanner y\nmany more"
    device.load("many ours\n")  # the run ended behind it
    rollback = roll_back(device, BEFORE, deadline=Deadline(10), lines=lines)
    assert rollback.is_complete
    assert str(rollback) == (
        "The change was taken back, by the current_configuration. But lines that the device took and does not show may "
        "still be in force: banner x. Look at the device."
    )


def test_a_rollback_that_finds_nothing_of_a_change_does_not_say_that_none_of_it_is_in_force() -> None:
    device = ModelDevice(BEFORE)
    apply_plan(device, plan_lines(device.text(), "banner x", DIALECT), deadline=Deadline(10))
    rollback = roll_back(device, BEFORE, deadline=Deadline(10), lines="banner x")
    assert str(rollback) == "The device shows nothing of the change, so nothing was sent."
