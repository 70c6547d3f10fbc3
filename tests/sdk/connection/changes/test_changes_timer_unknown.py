"""A timer whose start is not answered may run: whoever wanted the change learns until when, and tries no more."""

import asyncio

import pytest

from sdk.connection.changes.errors import TimerUnknownError
from sdk.connection.errors import ConnectionLostError, UnexpectedAnswerError
from sdk.testing.devices import Faults
from tests.patience import until
from tests.sdk.connection.connection_support import NO_REVERT_TIMER, saved_ios

LINE = "ntp server 192.0.2.77"


@pytest.mark.parametrize("lost_at", ["configure terminal revert timer 1", "end"])
async def test_a_revert_timer_whose_start_was_not_answered_is_told_and_the_change_not_worth_another_try(
    lost_at: str,
) -> None:
    async with saved_ios(Faults(drop_mid_command=lost_at)) as (device, connection):
        plan = await connection.plan(LINE)
        with pytest.raises(TimerUnknownError, match="whether its revert timer was started") as unknown:
            await connection.apply(plan, confirm_seconds=60)
        assert device.device.revert_timer is not None
        assert LINE not in device.typed
        assert device.passwords_received == 1, "there is nothing for another session to take back"
    assert unknown.value.retryable is False
    assert " UTC at the latest" in str(unknown.value)
    assert str(unknown.value).endswith("stop it first: `configure confirm`.")
    assert f"ended the connection during the command '{lost_at}'" in str(unknown.value)


async def test_a_reload_whose_start_was_not_answered_is_told_with_what_it_stops() -> None:
    lost = Faults(outputs=NO_REVERT_TIMER, drop_mid_command="reload in 1")
    async with saved_ios(lost) as (device, connection):
        plan = await connection.plan(LINE)
        with pytest.raises(TimerUnknownError, match=r"its reload timer \(.*all traffic stops") as unknown:
            await connection.apply(plan, confirm_seconds=60)
        assert LINE not in device.typed
    assert unknown.value.retryable is False
    assert str(unknown.value).endswith("stop it first: `reload cancel`.")


async def test_a_reload_that_is_refused_or_was_not_asked_for_yet_is_no_timer_that_may_run() -> None:
    refused = Faults(outputs={**NO_REVERT_TIMER, "reload in 1": "% Authorization failed."})
    async with saved_ios(refused) as (_, connection):
        plan = await connection.plan(LINE)
        with pytest.raises(UnexpectedAnswerError, match="Authorization failed"):
            await connection.apply(plan, confirm_seconds=60)
    lost = Faults(outputs=NO_REVERT_TIMER, drop_mid_command="show startup-config")
    async with saved_ios(lost) as (_, connection):
        plan = await connection.plan(LINE)
        with pytest.raises(ConnectionLostError) as raised:
            await connection.apply(plan, confirm_seconds=60)
    assert raised.value.retryable is True


async def test_a_change_that_is_cancelled_while_its_timer_is_started_says_in_the_log_that_it_may_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    start = "configure terminal revert timer 1"
    async with saved_ios(Faults(command_hang=start)) as (device, connection):
        plan = await connection.plan(LINE)
        task = asyncio.create_task(connection.apply(plan, confirm_seconds=60))
        await until(lambda: start in device.typed)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "cancelled before its first line, while the device started its timer" in caplog.text


async def test_a_reload_that_first_asks_whether_to_save_is_scheduled_and_saves_nothing() -> None:
    async with saved_ios(Faults(outputs=NO_REVERT_TIMER)) as (device, connection):
        saved = device.device.startup_config
        await (await connection.apply(await connection.plan(LINE))).undo()
        assert device.device.is_touched, "the emulated device asks"
        change = await connection.apply(await connection.plan(LINE), confirm_seconds=60)
        assert change.timer is not None
        assert device.device.reload_timer is not None
        assert device.device.startup_config == saved
        await change.confirm()
        assert device.device.reload_timer is None


@pytest.mark.parametrize(
    ("outputs", "line", "said"),
    [
        (
            {},
            "configure terminal revert timer 1",
            "Rollback Confirmed Change: Rollback will begin in one minute.\n"
            'Enter "configure confirm" if you wish to keep what you\'ve configured\n',
        ),
        (NO_REVERT_TIMER, "reload cancel", "\n\n***\n*** --- SHUTDOWN ABORTED ---\n***\n"),
    ],
)
async def test_what_ios_says_of_a_timer_behind_its_prompt_leaves_nobody_in_doubt(
    outputs: dict[str, str], line: str, said: str
) -> None:
    async with saved_ios(Faults(outputs=outputs, behind_prompt={line: said})) as (device, connection):
        change = await connection.apply(await connection.plan(LINE), 60, confirm_seconds=60)
        assert (device.device.revert_timer or device.device.reload_timer) is not None
        await change.confirm(timeout=60)
        assert (device.device.revert_timer or device.device.reload_timer) is None
        assert line in device.typed
        assert LINE in device.device.running_config()
