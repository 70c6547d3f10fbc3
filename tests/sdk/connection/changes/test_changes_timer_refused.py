"""A timer that a device refuses to stop goes on, and whoever waits for the change is told so. Over real SSH."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sdk.connection import Configuration, Connection, Login, connect
from sdk.connection.changes.errors import ChangeInterruptedError, LineRefusedError, NotRestoredError
from sdk.connection.errors import RefusedCommandError
from sdk.testing.devices import EmulatedIos, Faults
from tests.sdk.connection.connection_support import NO_ARCHIVE, NO_REVERT_TIMER, is_timer_running

PASSWORD = "never-to-be-seen-1"
LINES = "ntp server 192.0.2.77\nntp server 192.0.2.78"
REVERT, RELOAD = "configure confirm", "reload cancel"
REFUSED = "% Authorization failed."
GOES_ON = {
    REVERT: "A revert timer runs on the device: it restores the configuration 60 s after the change began.",
    RELOAD: "A reload timer runs on the device: it restores the configuration 60 s after the change began. It is a "
    f"reload, as the device refuses `configure terminal revert timer` ({NO_ARCHIVE}): all traffic stops",
}


@asynccontextmanager
async def changing(
    line: str, answer: str = REFUSED, **faults: str
) -> AsyncIterator[tuple[EmulatedIos, Connection]]:
    """A saved device that gives `answer` to `line`, which stops the kind of timer that it has."""
    outputs = {line: answer, **(NO_REVERT_TIMER if line == RELOAD else {})}
    async with EmulatedIos("admin", PASSWORD, "r1", faults=Faults(outputs=outputs, **faults)) as device:  # type: ignore[arg-type]  # only texts are given
        device.device.startup_config = device.device.running_config()
        login = Login(host=device.host, port=device.port, username="admin", password=PASSWORD)
        async with connect(login, platform="ios", needs=(Configuration,)) as connection:
            yield device, connection


@pytest.mark.parametrize("line", [REVERT, RELOAD])
@pytest.mark.parametrize(
    "answer",
    [REFUSED, "Command authorization failed.", "       ^\n% Invalid input detected at '^' marker."],
)
async def test_a_refused_confirmation_fails_says_what_goes_on_and_leaves_the_change_unconfirmed(
    line: str, answer: str
) -> None:
    async with changing(line, answer) as (device, connection):
        change = await connection.apply(await connection.plan(LINES), confirm_seconds=60)
        with pytest.raises(RefusedCommandError) as refused:
            await change.confirm()
        assert is_timer_running(device)
    assert refused.value.last_line == answer.splitlines()[-1]
    assert f"refused '{line}'" in str(refused.value)
    assert f"The change was made, and not confirmed. {GOES_ON[line]}" in str(refused.value)
    record = change._applied.record
    assert record is not None
    assert record.is_unconfirmed


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (REVERT, "%SYS-5-CONFIG_I: Configured from console by admin on vty0 (192.0.2.9)"),
        (
            RELOAD,
            "\n***\n*** --- SHUTDOWN ABORTED ---\n***\n\n%SYS-5-SCHEDULED_RELOAD_CANCELLED: Scheduled reload",
        ),
    ],
)
async def test_a_line_of_the_log_is_no_refusal_to_stop_a_timer(line: str, answer: str) -> None:
    async with changing(line, answer) as (_, connection):
        change = await connection.apply(await connection.plan(LINES), confirm_seconds=60)
        await change.confirm()


@pytest.mark.parametrize("line", [REVERT, RELOAD])
async def test_an_undo_whose_timer_can_not_be_stopped_fails_and_says_what_still_comes(line: str) -> None:
    async with changing(line) as (device, connection):
        before = device.device.running_config()
        change = await connection.apply(await connection.plan(LINES), confirm_seconds=60)
        with pytest.raises(NotRestoredError) as left:
            await change.undo()
        assert device.device.running_config() == before
        assert is_timer_running(device)
    assert left.value.restoration is not None
    assert left.value.restoration.is_restored
    assert "was given its earlier configuration back. But the device refused to stop its" in str(left.value)
    assert f'timer: "{REFUSED}". {GOES_ON[line]}' in str(left.value)


@pytest.mark.parametrize("line", [REVERT, RELOAD])
async def test_a_change_that_was_taken_back_for_a_refused_line_says_that_its_timer_goes_on(line: str) -> None:
    async with changing(line) as (device, connection):
        before = device.device.running_config()
        plan = await connection.plan(LINES + "\nfrobnicate 7")
        with pytest.raises(LineRefusedError) as refused:
            await connection.apply(plan, confirm_seconds=60)
        assert device.device.running_config() == before
        assert is_timer_running(device)
        assert device.passwords_received == 1, "another session would be refused as well"
    assert "Its configuration is as it was before. But the device refused to stop its" in str(refused.value)
    assert GOES_ON[line] in str(refused.value)


async def test_a_change_that_another_session_takes_back_says_that_its_timer_goes_on() -> None:
    async with changing(RELOAD, drop_mid_command="ntp server 192.0.2.78") as (device, connection):
        before = device.device.running_config()
        plan = await connection.plan(LINES)
        with pytest.raises(ChangeInterruptedError) as interrupted:
            await connection.apply(plan, confirm_seconds=60)
        assert device.device.running_config() == before
        assert is_timer_running(device)
    said = "Another session took the lines back. Its configuration is as it was before. But the device refused to stop"
    assert said in str(interrupted.value)
    assert GOES_ON[RELOAD] in str(interrupted.value)
