"""Changes on real routers, and how they are taken back: by an undo, by the router itself, by a rollback."""

import asyncio
import contextlib
import time
from typing import Any, Final

from sdk.connection import Configuration, Connection, DeviceError, Login, connect
from sdk.connection.changes.errors import NoConfirmTimerError
from sdk.testing.frr_lab import FrrDevice
from tests.programs.lab.changes import CHANGES, FrrChange
from tests.programs.lab.stage import Stage
from tests.programs.lab.step import step

CONFIGURE: Final = "neops_base/configure:1.0.0"
CHANGE_SECONDS: Final = 10.0
CONFIRM_SECONDS: Final = 12.0
LATE_SECONDS: Final = 20.0
"""How long the router may take when its time has come: a second; it looks for seven more whether it has worked."""

_ROUTE_SECONDS: Final = 60.0
_LEAST_VISIBLE: Final = 21
_ROUTE: Final = "172.30.0.0/16"
_ANNOUNCED: Final = (
    f"ip route {_ROUTE} blackhole",
    "router bgp 65002",
    " address-family ipv4 unicast",
    f"  network {_ROUTE}",
)


@step("kinds of change are taken back to the identical text, and what FRR never shows is named")
def undone(stage: Stage) -> str:
    """With a login to vtysh; two of them with one to a shell as well."""
    router = stage.routers[1]
    asyncio.run(_undo_all(router.vtysh, CHANGES))
    asyncio.run(_undo_all(router, CHANGES[:2]))
    visible = sum(change.is_shown for change in CHANGES)
    assert visible >= _LEAST_VISIBLE
    return f"{visible} visible kinds restored, {len(CHANGES) - visible} invisible named"


@step("a change that shuts the management down is taken back by the router")
def cut_off(stage: Stage) -> str:
    """`confirm_seconds`, nobody confirms: reachable again soon after that time. Refused where vtysh is the login."""
    return asyncio.run(_cut_off(stage.routers[1]))


@step("a change is planned, applied, seen in BGP, and rolled back from a new process")
def rolled_back(stage: Stage) -> str:
    """Through engine, worker and child: two jobs that share nothing but the context."""
    changed, other = stage.routers[1], stage.routers[0]
    before = asyncio.run(_configuration(changed.vtysh))
    device = {**changed.vtysh.to_neops_device(), "currentConfiguration": before}
    parameters: dict[str, Any] = {"lines": list(_ANNOUNCED), "port": changed.port}
    plan = stage.job(CONFIGURE, {**parameters, "dry_run": True}, device)
    assert f"+  network {_ROUTE}" in plan.data["diff"], plan.data["diff"]
    assert asyncio.run(_configuration(changed.vtysh)) == before, "a dry run has changed something"
    done = stage.job(CONFIGURE, parameters, device)
    assert done.data["changed"]
    seen = asyncio.run(_until_route(other.vtysh, is_there=True))
    back = stage.job(CONFIGURE, parameters, device, type="rollback")
    assert back.result.get("success") is True, back.result.get("message")
    assert asyncio.run(_configuration(changed.vtysh)) == before, "the rollback has left something"
    gone = asyncio.run(_until_route(other.vtysh, is_there=False))
    return f"seen {seen:.1f} s after the change, gone {gone:.1f} s after the rollback; the text is identical"


def _connected(device: Any, seconds: float = 20) -> Connection:
    login = Login(host=device.host, port=device.port, username=device.username, password=device.password)
    return connect(login, platform="frr", needs=(Configuration,), login_seconds=seconds)


async def _configuration(device: Any) -> str:
    async with _connected(device) as connection:
        return await connection.get_config()


async def _undo_all(device: Any, changes: tuple[FrrChange, ...]) -> None:
    async with _connected(device) as connection:
        for change in changes:
            before = await connection.get_config()
            made = await connection.apply(await connection.plan(change.lines))
            assert bool(made.not_shown) != change.is_shown, f"{change.name}: not shown: {made.not_shown}"
            restoration = await made.undo()
            assert restoration.is_identical, f"{change.name}: {restoration}"
            assert await connection.get_config() == before, f"{change.name}: the text is another one"


async def _cut_off(device: FrrDevice) -> str:
    lines = "interface eth0\n shutdown"
    async with _connected(device.vtysh) as connection:
        before = await connection.get_config()
        try:
            await connection.apply(await connection.plan(lines), confirm_seconds=CONFIRM_SECONDS)
        except NoConfirmTimerError:
            assert await connection.get_config() == before
        else:
            raise AssertionError("with vtysh as the login there is no timer, and nothing was said")
    async with _connected(device) as connection:
        plan = await connection.plan(lines)
        begun = time.monotonic()
        try:
            await connection.apply(plan, timeout=CHANGE_SECONDS, confirm_seconds=CONFIRM_SECONDS)
        except DeviceError as error:
            told = str(error)
        else:
            raise AssertionError("the management is shut, and the change was called good")
    assert "A process runs on the device" in told, told
    seconds, after, end = None, "", begun + CONFIRM_SECONDS + LATE_SECONDS
    while after != before and time.monotonic() < end:
        with contextlib.suppress(DeviceError):
            after = await _configuration_now(device)
            seconds = seconds or time.monotonic() - begun
    assert seconds is not None, (
        f"it had not come back {CONFIRM_SECONDS + LATE_SECONDS:g} s after the change began"
    )
    assert after == before
    return f"reachable {seconds:.1f} s after the change began, for a timer of {CONFIRM_SECONDS:g} s"


async def _configuration_now(device: FrrDevice) -> str:
    async with _connected(device, seconds=5) as connection:
        return await connection.get_config()


async def _until_route(device: Any, *, is_there: bool) -> float:
    begun = time.monotonic()
    async with _connected(device) as connection:
        while True:
            answer = await connection.send_command(f"show ip route {_ROUTE} json")
            if (_ROUTE in answer.output) is is_there:
                return time.monotonic() - begun
            assert time.monotonic() < begun + _ROUTE_SECONDS, f"{_ROUTE} is {'not ' * is_there}there still"
            await asyncio.sleep(0.1)
