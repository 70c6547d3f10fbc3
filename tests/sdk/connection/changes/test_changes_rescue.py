"""Taking back a change whose session was lost: whatever comes between, the error says what is in force."""

import asyncio
import errno
import socket
import threading
from typing import Any

import pytest
from device_model import DIALECT, ModelDevice

from sdk.connection import Cause, Configuration, Login, connect, connect_sync, opening, tcp
from sdk.connection.changes.errors import ChangeInterruptedError
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.changes.plan import plan_lines
from sdk.connection.changing import Changing
from sdk.connection.deadline import Deadline
from sdk.connection.device import Target
from sdk.connection.errors import fail
from sdk.connection.platforms.ios import Ios
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS, until
from tests.sdk.connection.connection_support import NO_REVERT_TIMER, PASSWORD, login_to

LINES = "interface GigabitEthernet0/2\n description by a change\n no shutdown\nntp server 192.0.2.77"
LAST_LINE = "ntp server 192.0.2.77"

both_faces = pytest.mark.parametrize("is_sync", [False, True], ids=["connect", "connect_sync"])


async def change(device: EmulatedIos, *, is_sync: bool) -> None:
    """Apply `LINES` to the device."""
    login, needs = login_to(device), (Configuration,)

    def work() -> None:
        with connect_sync(login, platform="ios", needs=needs) as connection:
            connection.apply(connection.plan(LINES), PATIENCE_SECONDS)

    if is_sync:
        await asyncio.to_thread(work)
        return
    async with connect(login, platform="ios", needs=needs) as connection:
        await connection.apply(await connection.plan(LINES), PATIENCE_SECONDS)


@both_faces
async def test_a_bug_of_the_platform_that_the_undo_meets_too_hides_nothing_and_is_in_the_log(
    is_sync: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    send = Ios.send_config_line

    def send_config_line(self: Ios, line: ConfigurationLine, *, deadline: Deadline) -> str:
        if line.text != "description by a change":
            raise KeyError("the bug")
        return send(self, line, deadline=deadline)

    monkeypatch.setattr(Ios, "send_config_line", send_config_line)
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        with pytest.raises(ChangeInterruptedError, match=r"1 of 3 lines are in force") as raised:
            await change(device, is_sync=is_sync)
    assert "KeyError was raised during the change" in str(raised.value)
    tracebacks = [each.getMessage() for each in caplog.records if "KeyError: 'the bug'" in each.getMessage()]
    assert ["taking the change back" in each for each in tracebacks] == [False, True]


@both_faces
async def test_while_no_descriptor_is_free_the_change_waits_to_be_taken_back(
    is_sync: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def connect_tcp(*args: Any, **more: Any) -> socket.socket:
        nonlocal calls
        calls += 1
        if calls in (2, 3):  # the first is that of the change itself
            raise OSError(errno.EMFILE, "Too many open files")
        return tcp.connect_tcp(*args, **more)

    monkeypatch.setattr(opening, "connect_tcp", connect_tcp)
    async with EmulatedIos("admin", PASSWORD, "r1", faults=Faults(drop_mid_command=LAST_LINE)) as device:
        before = device.device.running_config()
        with pytest.raises(ChangeInterruptedError, match="Another session took the lines back"):
            await change(device, is_sync=is_sync)
        assert device.device.running_config() == before
    assert calls == 4


@both_faces
async def test_where_no_thread_is_left_to_take_a_change_back_the_error_says_what_is_in_force(
    is_sync: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("taking back"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    async with EmulatedIos("admin", PASSWORD, "r1", faults=Faults(drop_mid_command=LAST_LINE)) as device:
        with pytest.raises(ChangeInterruptedError, match=r"2 of 3 lines are in force, of line 3"):
            await change(device, is_sync=is_sync)


async def test_a_change_that_is_cancelled_while_another_session_takes_it_back_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        device.faults = Faults(drop_mid_command="no shutdown")
        task = asyncio.create_task(change(device, is_sync=False))
        await until(lambda: device.passwords_received == 1)
        device.faults = Faults(drop_mid_command="no shutdown", auth_hang=True)
        await until(lambda: device.passwords_received == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "cancelled after 1 of 3 lines, which another session was taking back: some may be" in caplog.text


async def test_a_change_that_is_cancelled_between_its_timer_and_its_first_line_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="ios", needs=(Configuration,)) as connection,
    ):
        await connection.save_config()
        plan = await connection.plan(LINES)
        device.faults = Faults(outputs=NO_REVERT_TIMER, command_hang="configure terminal")
        task = asyncio.create_task(connection.apply(plan, confirm_seconds=60))
        await until(lambda: "configure terminal" in device.typed)
        assert device.device.reload_timer is not None
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "the change was cancelled before its first line. A reload timer runs on the device" in caplog.text


def test_the_time_of_a_change_counts_from_when_it_begins_so_that_some_is_left_to_take_it_back() -> None:
    device: Any = ModelDevice("hostname lab1\n")
    device.fails_at, device.failure = 1, fail(Cause.CONNECTION_LOST, "model", what="a line")
    plan = plan_lines(device.text(), "many x\nmany y", DIALECT)
    target = Target(Login(host="192.0.2.1", username="admin", password=PASSWORD), Ios)
    change = Changing(target, plan, None, 0.0)  # as where all of it has passed before a thread was free
    with pytest.raises(ChangeInterruptedError) as lost:
        change.verb().run(device, Deadline(PATIENCE_SECONDS))
    assert change.rescue(lost.value) is not None
