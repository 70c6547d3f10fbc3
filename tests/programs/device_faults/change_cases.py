"""Changes that go wrong, and what must come of each: the result, the device afterwards, and a later rollback."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sdk.testing.devices import Faults
from sdk.testing.frr_lab import FrrDevice
from tests.programs.device_faults.change_places import (
    ChangePlace,
    at,
    both,
    frr,
    ios,
    is_saved,
    lets_nobody_in,
    reboots,
    somebody_changes,
)

After = Literal["before", "part", "timer", "foreign"]
"""What the device has afterwards: what it had before; a part of the change, or all of it; what it had before, once its
timer has run out; what it had before, and what somebody else has done."""

# Much longer than a change takes: what is to happen in the middle of it must, on a slow machine too, come before its
# limit or its timer ends it. A change on FRR by a shell takes two seconds.
CHANGE_SECONDS: Final = 12.0
CONFIRM_SECONDS: Final = 15.0
_FRR_SECONDS: Final = 30.0
_INTERFACE: Final = "interface GigabitEthernet0/2"
LINES: Final = (_INTERFACE, " description by a change", " no shutdown", "ntp server 192.0.2.77")
_SECOND: Final = "no shutdown"
_CUT_OFF: Final = ("ntp server 192.0.2.77", "interface GigabitEthernet0/1", " shutdown", " description late")
_SHORT: Final = {"max_job_seconds": 15.0, "grace_seconds": 0.5}
_NO_ARCHIVE: Final = "%Turn config archive on before using Rollback Confirmed Change"


@dataclass(frozen=True, slots=True)
class ChangeCase:
    """One change that goes wrong. `told` is a pattern of its message, `cause` that of the verdict.

    `is_typed`: whether the configuration mode is entered at all.
    """

    name: str
    place: ChangePlace = field(repr=False)
    told: str
    after: After = "before"
    cause: str = "block_failed"
    retryable: bool | None = False
    is_typed: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)


ON_IOS: Final = (
    ChangeCase(
        "template error",
        ios(),
        "Line 2 of the template: 'ntp' is undefined",
        is_typed=False,
        parameters={"template": "hostname x\nntp server {{ ntp }}\n"},
    ),
    ChangeCase(
        "refused line in the middle",
        ios(),
        r"refused line 3 of 4, 'interface GigabitEthernet0/2 / frobnicate 7': .*Invalid input.* as it was before",
        parameters={"lines": [*LINES[:3], " frobnicate 7", LINES[3]]},
    ),
    ChangeCase(
        "refused line, and the undo refused",
        ios(Faults(outputs={"no ntp server 192.0.2.77": "% This line can't be removed now"})),
        r"refused line 2 of 2, 'frobnicate 7'.* NOT as it was before.*-ntp server 192\.0\.2\.77",
        after="part",
        parameters={"lines": ["ntp server 192.0.2.77", "frobnicate 7"]},
    ),
    ChangeCase(
        "configuration mode refused",
        ios(Faults(outputs={"configure terminal": "% Authorization failed"})),
        "refused 'configure terminal'",
    ),
    ChangeCase(
        "no timer to confirm by",
        ios(Faults(outputs={"configure terminal revert timer 1": _NO_ARCHIVE})),
        "can't take a change back by itself: .*nothing was sent",
        parameters={"confirm_seconds": 60},
    ),
    ChangeCase(
        "changed by another since the plan",
        ios(prepare=at("show running-config", somebody_changes, time=2)),
        "was changed by somebody else after the plan was made; nothing was sent",
        after="foreign",
        retryable=True,
        is_typed=False,
    ),
    ChangeCase(
        "management cut off by the change",
        ios(Faults(management_interface="GigabitEthernet0/1"), minute_seconds=CONFIRM_SECONDS),
        r"1 of 3 lines are in force, of line 2 .* it is not known\. A revert timer runs on the device",
        after="timer",
        parameters={"lines": list(_CUT_OFF), "confirm_seconds": 60},
    ),
    ChangeCase(
        "session dropped in the middle",
        ios(Faults(drop_mid_command=_SECOND)),
        "Another session took the lines back. Its configuration is as it was before",
    ),
    ChangeCase(
        "session dropped, and nobody gets in again",
        ios(Faults(drop_mid_command=_SECOND), prepare=at(_SECOND, lets_nobody_in)),
        r"1 of 3 lines are in force, of line 2 .* it is not known\. Nothing takes them back by itself",
        after="part",
    ),
    ChangeCase(
        "device reboots in the middle",
        ios(prepare=both(is_saved, at(_SECOND, reboots))),
        "Another session took the lines back. Its configuration is as it was before",
    ),
    ChangeCase(
        "device does not answer in the middle",
        ios(Faults(command_hang=_SECOND)),
        "Another session took the lines back. Its configuration is as it was before",
    ),
    ChangeCase(
        "question in the middle",
        ios(Faults(question_at=_SECOND)),
        r"Another session took the lines back\. .*asks a question during the command 'no shutdown'.*y/n",
    ),
    ChangeCase(
        "saving refused",
        ios(Faults(outputs={"write memory": "% Error opening nvram:/startup-config"})),
        r"The change \(3 lines\) is in force, but it could not be saved",
        after="part",
        parameters={"save": True},
    ),
    ChangeCase(
        "killed between two lines",
        ios(),
        r"A change of \S+.* was under way: of its 3 lines, some or all may be in force\. Nothing takes them back",
        after="part",
        cause="crashed",
        parameters={"dies_after_lines": 2},
    ),
    ChangeCase(
        "killed between two lines, with a timer",
        ios(minute_seconds=CONFIRM_SECONDS),
        "was under way: .* The device takes it back by itself, 60 s after the change began",
        after="timer",
        cause="crashed",
        parameters={"dies_after_lines": 2, "confirm_seconds": 60},
    ),
    ChangeCase(
        "time limit between two lines",
        ios(Faults(command_hang=_SECOND)),
        "was under way: of its 3 lines, some or all may be in force",
        after="part",
        cause="time_limit",
        parameters={"change_timeout_seconds": 60},
        limits=_SHORT,
    ),
    ChangeCase(
        "time limit after the change",
        ios(Faults(command_hang="write memory")),
        r"A change of \S+.* \(3 lines\) is in force",
        after="part",
        cause="time_limit",
        retryable=None,
        parameters={"save": True, "read_timeout_seconds": 60},
        limits=_SHORT,
    ),
)

_ROUTES: Final = tuple(f"ip route 192.0.2.{number * 16}/28 blackhole" for number in range(3))


def on_frr(routers: Sequence[FrrDevice]) -> Sequence[ChangeCase]:
    """Return the cases for real routers, each group of three on three of them."""
    routes = {"lines": list(_ROUTES), "change_timeout_seconds": _FRR_SECONDS}
    refused = routes | {"lines": [*_ROUTES[:2], "ip frobnicate 7", _ROUTES[2]]}
    return (
        ChangeCase(
            "FRR, vtysh: refused line in the middle",
            frr(routers, 0, shell=False),
            r"refused line 3 of 4, 'ip frobnicate 7': .*Unknown command.* as it was before",
            parameters=refused,
        ),
        ChangeCase(
            "FRR, shell: refused line in the middle",
            frr(routers, 1, shell=True),
            r"refused line 3 of 4, 'ip frobnicate 7': .*Unknown command.* as it was before",
            parameters=refused,
        ),
        ChangeCase(
            "FRR, shell: killed between two lines, with a timer",
            frr(routers, 2, shell=True),
            rf"was under way: .* The device takes it back by itself, {CONFIRM_SECONDS:g} s after the change began",
            after="timer",
            cause="crashed",
            parameters=routes | {"dies_after_lines": 2, "confirm_seconds": CONFIRM_SECONDS},
        ),
        ChangeCase(
            "FRR, vtysh: killed between two lines",
            frr(routers, 0, shell=False),
            r"was under way: of its 3 lines, some or all may be in force\. Nothing takes them back",
            after="part",
            cause="crashed",
            parameters=routes | {"dies_after_lines": 2},
        ),
        ChangeCase(
            "FRR, vtysh: session cut in the middle",
            frr(routers, 1, shell=False),
            "Another session took the lines back. Its configuration is as it was before",
            parameters=routes | {"drops_after_lines": 1},
        ),
        ChangeCase(
            "FRR, shell: session cut in the middle",
            frr(routers, 2, shell=True),
            "Another session took the lines back. Its configuration is as it was before",
            parameters=routes | {"drops_after_lines": 1},
        ),
    )
