"""Changes over real SSH on the emulated IOS: applied, refused, confirmed, interrupted, rolled back."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sdk.connection import Configuration, Connection, DeviceError, Login, connect, connect_sync, restore
from sdk.connection.changes.errors import (
    ChangeInterruptedError,
    ConfigurationChangedError,
    ConfirmedTooLateError,
    LineRefusedError,
    NoConfirmTimerError,
)
from sdk.connection.changes.plan import LinesError
from sdk.entities import DeviceEntity
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS
from tests.sdk.connection.connection_support import NO_REVERT_TIMER

PASSWORD = "never-to-be-seen-1"
LINES = "interface GigabitEthernet0/2\n description by a change\n no shutdown\nntp server 192.0.2.77"


def login_to(device: EmulatedIos) -> Login:
    return Login(host=device.host, port=device.port, username="admin", password=PASSWORD)


@asynccontextmanager
async def changing(
    faults: Faults | None = None, *, minute_seconds: float = 60
) -> AsyncIterator[tuple[EmulatedIos, Connection]]:
    async with (
        EmulatedIos("admin", PASSWORD, "r1", faults=faults, minute_seconds=minute_seconds) as device,
        connect(login_to(device), platform="ios", needs=(Configuration,)) as connection,
    ):
        yield device, connection


async def test_a_plan_is_applied_as_foretold_and_undone_to_the_identical_text() -> None:
    async with changing() as (device, connection):
        before = device.device.running_config()
        plan = await connection.plan(LINES)
        assert device.device.running_config() == before
        change = await connection.apply(plan)
        assert "+ description by a change" in change.diff
        assert change.diff == plan.diff or not change.unforeseen
        assert change.not_shown == change.stayed == change.unforeseen == ()
        assert "ntp server 192.0.2.77" in device.device.running_config()
        assert change.configuration.count("ntp server 192.0.2.77") == 1
        assert (await change.undo()).is_identical
        assert device.device.running_config() == before


async def test_a_refused_line_leaves_the_device_as_it_was_and_the_connection_usable() -> None:
    async with changing() as (device, connection):
        before = device.device.running_config()
        plan = await connection.plan(LINES + "\ninterface GigabitEthernet0/1\n frobnicate 7\nhostname never")
        with pytest.raises(
            LineRefusedError, match=r"line 4 of 5.*GigabitEthernet0/1 / frobnicate 7.*% Invalid input"
        ):
            await connection.apply(plan)
        assert device.device.running_config() == before
        assert (await connection.send_command("show version")).output


async def test_a_device_that_was_changed_after_the_plan_gets_no_line() -> None:
    async with changing() as (device, connection):
        plan = await connection.plan(LINES)
        device.device.configuration.hostname = "r1"
        device.device.configuration.lines.append("logging host 192.0.2.9")
        before = device.device.running_config()
        with pytest.raises(ConfigurationChangedError):
            await connection.apply(plan)
        assert device.device.running_config() == before


async def test_a_changed_hostname_is_followed_in_the_prompt_and_undone() -> None:
    async with changing() as (device, connection):
        change = await connection.apply(await connection.plan("hostname renamed"))
        assert device.device.running_config().count("hostname renamed") == 1
        await change.undo()
        assert (await connection.send_command("show version")).output
        assert connection.prompt == "r1#"


async def test_an_access_list_is_restored_in_its_order() -> None:
    async with changing() as (device, connection):
        lines = "ip access-list extended IN\n permit tcp any any eq 22\n deny ip any any"
        await connection.apply(await connection.plan(lines))
        before = device.device.running_config()
        plan = await connection.plan(
            "ip access-list extended IN\n no deny ip any any\n permit icmp any any\n deny ip any any"
        )
        change = await connection.apply(plan)
        assert device.device.running_config() != before
        assert (await change.undo()).is_identical
        assert device.device.running_config() == before


BANNER = """banner motd ~
do not enter: r1#
  % or regret it

r1(config)#
~
ntp server 192.0.2.77"""


async def test_a_banner_of_several_lines_is_applied_as_foretold_and_undone() -> None:
    async with changing() as (device, connection):
        before = device.device.running_config()
        change = await connection.apply(await connection.plan(BANNER))
        shown = "banner motd ^C\ndo not enter: r1#\n  % or regret it\n\nr1(config)#\n^C\n"
        assert shown in device.device.running_config()
        assert change.not_shown == change.unforeseen == change.stayed == ()
        assert (await connection.plan(BANNER)).is_empty
        assert (await change.undo()).is_identical
        assert device.device.running_config() == before


@pytest.mark.parametrize(
    "lines", ["no banner motd", "banner motd #another one#", "banner motd @\nanother ~\n@"]
)
async def test_a_banner_that_was_replaced_or_removed_comes_back_as_it_was(lines: str) -> None:
    async with changing() as (device, connection):
        await connection.apply(await connection.plan(BANNER))
        before = device.device.running_config()
        with pytest.raises(LineRefusedError, match=r"line 2 of 2.*Its configuration is as it was before"):
            await connection.apply(await connection.plan(f"{lines}\nfrobnicate 7"))
        assert device.device.running_config() == before


async def test_the_text_of_a_banner_that_a_device_does_not_ask_for_is_not_sent() -> None:
    refusal = Faults(outputs={"banner motd ~": "% Invalid input detected at '^' marker."})
    async with changing(refusal) as (device, connection):
        before = device.device.running_config()
        plan = await connection.plan("banner motd ~\nhostname never\n~")
        with pytest.raises(LineRefusedError, match=r"(?s)does not take the text.*Invalid input"):
            await connection.apply(plan)
        assert device.device.running_config() == before
        assert "hostname never" not in device.typed


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("banner motd ~\nno end", "its text has no end. Write '~' once more"),
        ("banner motd ~\nx\n~\ndo reload", "no line of configuration"),
        ("crypto pki certificate chain X\n certificate ca 01\n  30820122", "import it on the device"),
    ],
)
async def test_a_text_that_can_not_be_typed_is_refused_in_the_plan(lines: str, said: str) -> None:
    async with changing() as (_, connection):
        with pytest.raises(LinesError, match=said):
            await connection.plan(lines)


async def test_a_tab_within_a_line_is_sent_as_a_blank_for_it_is_a_key_of_the_device() -> None:
    async with changing() as (device, connection):
        plan = await connection.plan("interface GigabitEthernet0/2\n\tdescription\tby\ta tab")
        change = await connection.apply(plan)
        assert " description by a tab\n" in device.device.running_config()
        assert change.not_shown == change.unforeseen == ()
        with pytest.raises(LinesError, match="no line of configuration"):
            await connection.plan("do\treload")


async def test_a_confirmed_change_stays_after_the_time_of_its_timer() -> None:
    async with changing() as (device, connection):
        change = await connection.apply(await connection.plan(LINES), confirm_seconds=60)
        assert change.timer is not None
        assert (change.timer.kind, change.timer.seconds) == ("revert timer", 60)
        await change.confirm()
        assert device.device.revert_timer is None
        assert "by a change" in device.device.running_config()


async def test_a_change_that_nobody_confirms_is_taken_back_by_the_device_and_a_late_confirmation_fails() -> (
    None
):
    # Long enough that the change is made before, also where this process stands still for a second.
    async with changing(minute_seconds=3.0) as (device, connection):
        before = device.device.running_config()
        change = await connection.apply(await connection.plan(LINES), confirm_seconds=10)
        end = time.monotonic() + PATIENCE_SECONDS
        while device.device.running_config() != before and time.monotonic() < end:
            await asyncio.sleep(0.05)
        with pytest.raises(ConfirmedTooLateError, match="60 s has run out"):
            await change.confirm()
        assert device.device.running_config() == before


async def test_an_undo_ends_the_timer() -> None:
    async with changing() as (device, connection):
        change = await connection.apply(await connection.plan(LINES), confirm_seconds=60)
        await change.undo()
        assert device.device.revert_timer is None


async def test_a_line_that_hangs_is_told_and_another_session_takes_the_others_back_in_time() -> None:
    hang = Faults(command_hang="ntp server 192.0.2.77")
    async with changing(hang) as (device, connection):
        before = device.device.running_config()
        plan = await connection.plan(LINES)
        began = time.monotonic()
        with pytest.raises(ChangeInterruptedError) as caught:
            await connection.apply(plan, timeout=10)
        assert time.monotonic() - began <= 10.5 + PATIENCE_SECONDS * 0.1
        text = str(caught.value)
        assert "2 of 3 lines were in force, of line 3 ('ntp server 192.0.2.77') it is not known" in text
        assert (text.count("it is not known"), text.count("What ended it")) == (1, 1)
        assert "Another session took the lines back. Its configuration is as it was before." in text
        assert device.device.running_config() == before
        assert not caught.value.retryable


async def test_a_change_that_cuts_the_session_off_and_lets_nobody_in_again_says_what_is_in_force() -> None:
    async with changing(Faults(drop_mid_command="no shutdown")) as (device, connection):
        plan = await connection.plan(LINES)
        device._check_password = lambda username, password: False  # type: ignore[method-assign]
        with pytest.raises(
            ChangeInterruptedError, match=r"1 of 3 lines are in force, of line 2 .*Nothing takes them back"
        ) as caught:
            await connection.apply(plan, timeout=10)
        assert caught.value.applied is not None
        assert [line.text for line in caught.value.applied.applied] == ["description by a change"]


async def test_a_cancelled_change_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with changing(Faults(command_hang="no shutdown")) as (device, connection):
        plan = await connection.plan(LINES)
        task = asyncio.ensure_future(connection.apply(plan))
        end = time.monotonic() + PATIENCE_SECONDS
        while "by a change" not in device.device.running_config() and time.monotonic() < end:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "the change was cancelled after" in caplog.text
        assert "Roll it back" in caplog.text


async def test_a_rollback_in_a_new_connection_takes_the_change_back_from_the_inventory() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        before = device.device.running_config()
        async with connect(login_to(device), platform="ios", needs=(Configuration,)) as first:
            inventory = DeviceEntity(id=1, current_configuration=await first.get_config())
            await first.apply(await first.plan(LINES))
        assert device.device.running_config() != before
        async with connect(login_to(device), platform="ios", needs=(Configuration,)) as second:
            rollback = await restore(second, inventory, lines=LINES)
        assert rollback.is_complete
        assert device.device.running_config() == before


async def test_without_a_revert_timer_a_reload_is_scheduled_only_if_nothing_would_be_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with changing(Faults(outputs=NO_REVERT_TIMER)) as (device, connection):
        plan = await connection.plan("ntp server 192.0.2.77")
        with pytest.raises(NoConfirmTimerError, match="a reload would lose what was never saved"):
            await connection.apply(plan, confirm_seconds=60)
        assert "192.0.2.77" not in device.device.running_config()
        await connection.save_config()
        change = await connection.apply(plan, confirm_seconds=60)
        assert change.timer is not None
        assert change.timer.kind == "reload timer"
        assert "all traffic stops" in change.timer.note
        assert device.device.reload_timer is not None
        await change.confirm()
        assert device.device.reload_timer is None
        assert "192.0.2.77" in device.device.running_config()


async def test_code_without_a_loop_plans_applies_and_undoes_as_well() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        before = device.device.running_config()

        def work() -> list[str]:
            with connect_sync(login_to(device), platform="ios", needs=(Configuration,)) as connection:
                plan = connection.plan(LINES)
                change = connection.apply(plan)
                seen = device.device.running_config()
                change.undo()
                with pytest.raises(LineRefusedError):
                    connection.apply(connection.plan("frobnicate 7"))
                return [change.diff, seen]

        diff, seen = await asyncio.to_thread(work)
        assert "+ntp server 192.0.2.77" in diff
        assert seen != before
        assert device.device.running_config() == before


async def test_a_platform_without_changes_says_so_before_anything_is_sent() -> None:
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(login_to(device), platform="cisco_nxos") as connection,
    ):
        with pytest.raises(DeviceError, match="changes of the configuration"):
            await connection.plan("hostname x")


def test_no_thread_is_left() -> None:
    assert not [each for each in threading.enumerate() if type(each).__module__.startswith("paramiko")]
