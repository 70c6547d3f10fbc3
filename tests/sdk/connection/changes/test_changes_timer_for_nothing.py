"""A change that never began leaves no timer on the device: it would reload a router for nothing. Over real SSH."""

import pytest

from sdk.connection.changes.errors import ChangeInterruptedError, NoConfirmTimerError
from sdk.connection.errors import RefusedCommandError
from sdk.testing.devices import Faults
from tests.patience import PATIENCE_SECONDS
from tests.sdk.connection.connection_support import NO_REVERT_TIMER, is_timer_running, saved_ios

LINE = "ntp server 192.0.2.77"
ENTER = "configure terminal"
LOCKED = "Configuration mode is locked by process '484' user 'NETCONF' from terminal '64'. Please try later."
REFUSED = "% Authorization failed."


@pytest.mark.parametrize("words", [LOCKED, LOCKED.replace("is locked", "locked exclusively")])
async def test_where_another_has_locked_the_configuration_mode_no_reload_is_scheduled(words: str) -> None:
    faults = Faults(outputs={ENTER: words, f"{ENTER} revert timer 1": words})
    async with saved_ios(faults) as (device, connection):
        plan = await connection.plan(LINE)
        with pytest.raises(RefusedCommandError, match="locked"):
            await connection.apply(plan, confirm_seconds=60)
        assert not is_timer_running(device)
        assert "reload in 1" not in device.typed
        assert (await connection.send_command("show version")).output


async def test_a_reload_timer_is_stopped_where_the_configuration_mode_is_refused_then() -> None:
    async with saved_ios(Faults(outputs={**NO_REVERT_TIMER, ENTER: REFUSED})) as (device, connection):
        plan = await connection.plan(LINE)
        with pytest.raises(RefusedCommandError, match="refused 'configure terminal'"):
            await connection.apply(plan, confirm_seconds=60)
        assert "reload in 1" in device.typed
        assert not is_timer_running(device)
        assert device.passwords_received == 1


async def test_a_timer_that_can_not_be_stopped_either_is_told() -> None:
    outputs = {**NO_REVERT_TIMER, ENTER: REFUSED, "reload cancel": REFUSED}
    async with saved_ios(Faults(outputs=outputs)) as (device, connection):
        plan = await connection.plan(LINE)
        with pytest.raises(RefusedCommandError) as refused:
            await connection.apply(plan, confirm_seconds=60)
        assert is_timer_running(device)
    said = str(refused.value)
    assert "refused 'configure terminal'" in said
    assert f'No line was sent. But the device refused to stop its reload timer: "{REFUSED}".' in said
    assert "A reload timer runs on the device: it restores the configuration 60 s" in said


@pytest.mark.parametrize(("outputs", "timer"), [({}, "revert timer"), (NO_REVERT_TIMER, "reload timer")])
async def test_where_the_session_ends_before_the_first_line_another_one_stops_the_timer(
    outputs: dict[str, str], timer: str
) -> None:
    async with saved_ios(Faults(outputs=outputs, drop_mid_command=ENTER)) as (device, connection):
        plan = await connection.plan(LINE)
        said = f"no line was sent. Another session stopped its {timer}. What ended it: "
        with pytest.raises(ChangeInterruptedError, match=said):
            await connection.apply(plan, PATIENCE_SECONDS, confirm_seconds=60)
        assert not is_timer_running(device)
        assert LINE not in device.typed


async def test_a_timer_that_no_other_session_can_stop_is_told() -> None:
    async with saved_ios(Faults(drop_mid_command=ENTER)) as (device, connection):
        plan = await connection.plan(LINE)
        device._check_password = lambda username, password: False  # type: ignore[method-assign]
        with pytest.raises(ChangeInterruptedError, match=r"no line was sent\. A revert timer runs"):
            await connection.apply(plan, PATIENCE_SECONDS, confirm_seconds=60)
        assert is_timer_running(device)


async def test_a_reload_that_somebody_has_scheduled_is_neither_replaced_nor_cancelled() -> None:
    async with saved_ios(Faults(outputs=NO_REVERT_TIMER)) as (device, connection):
        theirs = device.device.in_minutes(600, "reload by ada", lambda: None)
        device.device.reload_timer = theirs
        plan = await connection.plan(LINE)
        with pytest.raises(NoConfirmTimerError, match=r"a reload already: \"Reload scheduled in \d+ minutes"):
            await connection.apply(plan, confirm_seconds=60)
        assert device.device.reload_timer is theirs
        assert not [line for line in device.typed if line.startswith("reload") or line == LINE]
