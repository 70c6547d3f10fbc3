"""What a switch makes only as a section is left: where it says then that it did not, the change has failed."""

import re
from typing import Any

import pytest

from sdk.connection.changes.apply import apply_plan
from sdk.connection.changes.errors import LineRefusedError
from sdk.connection.changes.plan import plan_lines, plan_typed
from sdk.connection.platforms.ios import Ios
from sdk.connection.platforms.ios_configuration import IOS
from tests.sdk.connection.platforms.scripted_session import (
    DEADLINE,
    IOS_REFUSAL,
    ScriptedReply,
    ScriptedSession,
)

FAILED = (
    "% Failed to create VLANs {number}\nExtended VLAN(s) not allowed in current VTP mode.\n"
    "%Failed to commit extended VLAN(s) changes.\n"
)
TAKES_TIME = "% Applying VLAN changes may take few minutes.  Please wait...\n"
_CONFIG, _VLAN, _EXEC = "sw1(config)#", "sw1(config-vlan)#", "sw1#"


class Switch(ScriptedSession):
    """A switch in VTP server mode: VLANs are in a file of their own, those above 1005 not allowed."""

    def __init__(self) -> None:
        super().__init__({}, prompt=_EXEC)
        self.lines = ["ntp server 192.0.2.1"]
        self.vlans: list[int] = []
        self._vlan: int | None = None

    def send(self, command: str, **_more: Any) -> ScriptedReply:
        self.sent.append(command)
        return ScriptedReply(self._answer(command))

    def _answer(self, command: str) -> str:
        if command == "show running-config":
            return "\n".join(["!", "version 15.2", "hostname sw1", *self.lines, "end"])
        if command in ("exit", "end", "configure terminal"):
            said = self._left()
            self.prompt = _EXEC if command == "end" else _CONFIG
            return said
        if found := re.fullmatch(r"vlan (\d+)", command):
            self.prompt, self._vlan = _VLAN, int(found[1])
            return ""
        if re.fullmatch(r"no ntp server \S+", command):
            self.lines.remove(command.removeprefix("no "))
            return ""
        if command.startswith("ntp server "):
            self.lines.append(command)
            return ""
        return "" if self.prompt == _VLAN and command.startswith("name ") else IOS_REFUSAL

    def _left(self) -> str:
        number, self._vlan = self._vlan, None
        if number is None:
            return ""
        if number > 1005:
            return FAILED.format(number=number)
        self.vlans.append(number)
        return TAKES_TIME


def applied(switch: Switch, lines: str, plan: Any = plan_lines) -> Any:
    device: Any = Ios(switch)
    return apply_plan(device, plan(device.get_config(deadline=DEADLINE), lines, IOS), deadline=DEADLINE)


@pytest.mark.parametrize(
    ("lines", "which"),
    [
        # Left for the next line, and with the configuration mode.
        ("ntp server 192.0.2.7\nvlan 2000\n name lab\nntp server 192.0.2.8", "line 2 of 4, 'vlan 2000'"),
        ("ntp server 192.0.2.7\nvlan 2000\n name lab", "line 2 of 3, 'vlan 2000'"),
        ("ntp server 192.0.2.7\nvlan 2000", "line 2 of 2, 'vlan 2000'"),
    ],
)
def test_a_section_that_is_refused_as_it_is_left_ends_the_change_which_is_taken_back(
    lines: str, which: str
) -> None:
    switch = Switch()
    with pytest.raises(LineRefusedError) as refused:
        applied(switch, lines)
    text = str(refused.value)
    assert f"refused {which}: '% Failed to create VLANs 2000 Extended VLAN(s) not allowed" in text
    assert "Its configuration is as it was before." in text
    assert "may still be in force" not in text, "the section was refused"
    assert switch.lines == ["ntp server 192.0.2.1"]
    assert "ntp server 192.0.2.8" not in switch.sent


def test_a_section_that_only_takes_its_time_as_it_is_left_is_taken() -> None:
    switch = Switch()
    done = applied(switch, "vlan 50\n name lab\nvlan 51\nntp server 192.0.2.7")
    assert switch.vlans == [50, 51]
    assert [str(line) for line in done.comparison.not_shown] == ["vlan 50", "vlan 50 / name lab", "vlan 51"]


@pytest.mark.parametrize("end", ["exit", "end", "end\nntp server 192.0.2.7"])
def test_of_lines_as_a_person_types_them_the_one_that_leaves_the_section_is_refused(end: str) -> None:
    with pytest.raises(LineRefusedError, match=r"% Failed to create VLANs 2000"):
        applied(Switch(), f"vlan 2000\nname lab\n{end}", plan_typed)
