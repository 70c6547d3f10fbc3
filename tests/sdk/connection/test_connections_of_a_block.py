"""What a block has of its connections: errors that become its result, one session for each device, an end."""

import asyncio
import contextlib

import pytest
from connection_support import PASSWORD, SECRET, login_to, result_of, ssh_threads

from sdk.connection import Cause, DeviceError, Login, connect, for_each_device
from sdk.connection.errors import fail
from sdk.testing.devices import EmulatedIos, Faults
from sdk.testing.devices.ios_state import SessionState
from tests.patience import until


@pytest.mark.parametrize(("cause", "retryable"), [(Cause.NO_BANNER, True), (Cause.WRONG_PASSWORD, False)])
async def test_a_device_error_that_leaves_a_block_is_its_result(cause: Cause, retryable: bool) -> None:
    async def work() -> None:
        raise fail(cause, "192.0.2.1 port 22", seconds=3, what="password")

    result = await result_of(work)
    assert (result.success, result.retryable) == (False, retryable)
    assert "192.0.2.1 port 22" in result.message
    assert "raised" not in result.message


async def test_a_block_has_one_session_for_each_device_and_none_when_it_has_ended() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        login = login_to(device)
        seen: list[int] = []

        async def work() -> None:
            for _ in range(3):
                async with connect(login, platform="ios") as conn:
                    await conn.send_command("show clock")
                seen.append(len(ssh_threads()))
            # Two at once are two sessions: what one is in the middle of is not for the other.
            async with connect(login, platform="ios") as one, connect(login, platform="ios") as other:
                await asyncio.gather(one.send_command("show clock"), other.send_command("show clock"))
                seen.append(len(ssh_threads()))

        result = await result_of(work)
        assert result.success, result.message
        assert seen == [1, 1, 1, 2]
        await until(lambda: ssh_threads() == [], "the sessions have ended with the block", 5)


async def test_a_session_that_the_device_has_ended_is_not_kept() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1", faults=Faults(drop_mid_command="show version")) as device:
        login = login_to(device)

        async def work() -> None:
            async with connect(login, platform="ios") as conn:
                with pytest.raises(DeviceError):
                    await conn.send_command("show version")
            async with connect(login, platform="ios") as conn:
                await conn.send_command("show clock")

        result = await result_of(work)
        assert result.success, result.message


@pytest.mark.parametrize(
    "steps",
    [
        [("configure terminal", None)],
        [("configure terminal", None), ("interface Loopback7", None)],
        [("configure terminal", None), ("hostname edge", None), ("end", None)],
        [("copy running-config startup-config", "filename")],
    ],
)
async def test_a_session_that_is_not_as_after_its_login_is_not_kept(
    steps: list[tuple[str, str | None]],
) -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        login = login_to(device)

        async def leave_by_an_error() -> None:
            async with connect(login, platform="ios") as conn:
                await conn.send_interactive(steps)
                raise KeyError

        async def work() -> None:
            with pytest.raises(KeyError):
                await leave_by_an_error()
            await until(lambda: ssh_threads() == [], "the session has ended", 5)
            for _ in range(2):
                async with connect(login, platform="ios") as conn:
                    assert "hostname" in await conn.get_config()

        result = await result_of(work)
        assert result.success, result.message
        assert device.passwords_received == 2


async def test_a_session_whose_mode_stands_above_its_prompt_alone_is_not_kept_in_another_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def prompt(state: SessionState) -> str:
        mode = "candidate private admin" if state.mode.configures else "running"
        return f"\n--{{ {mode} }}--[  ]--\nA:r1# "

    monkeypatch.setattr(SessionState, "prompt", prompt)
    async with EmulatedIos("admin", PASSWORD, "r1") as device:

        async def work() -> None:
            for commands in (["configure terminal", "end"], ["configure terminal"], []):
                async with connect(login_to(device), platform="ios") as conn:
                    assert "hostname r1" in await conn.get_config()
                    for command in commands:
                        await conn.send_command(command)

        result = await result_of(work)
        assert result.success, result.message
        assert device.passwords_received == 2


async def test_a_session_that_is_back_in_the_mode_of_its_login_is_kept() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1", enable_secret=SECRET) as device:
        login = login_to(device, enable_secret=SECRET)

        async def work() -> None:
            for _ in range(2):
                async with connect(login, platform="ios") as conn:
                    await conn.send_interactive([("configure terminal", None), ("end", None)])

        result = await result_of(work)
        assert result.success, result.message
        assert device.passwords_received == 1


async def test_outside_of_a_block_leaving_ends_the_session() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        async with connect(login_to(device), platform="ios"):
            pass
        await until(lambda: ssh_threads() == [], "the session has ended", 5)


@pytest.mark.parametrize(("limit", "kept"), [(2, 0), (4, 4)])
async def test_a_group_of_more_devices_than_have_a_turn_at_once_leaves_no_connection_open(
    limit: int, kept: int
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        names = ("r1", "r2", "r3", "r4")
        devices = [await stack.enter_async_context(EmulatedIos("admin", PASSWORD, name)) for name in names]

        async def ask(login: Login) -> str:
            async with connect(login, platform="ios") as connection:
                return (await connection.send_command("show clock")).output

        async def work() -> None:
            outcomes = await for_each_device([login_to(device) for device in devices], ask, limit=limit)
            assert all(outcome.value for outcome in outcomes), outcomes
            await until(lambda: len(ssh_threads()) == kept, f"{kept} connections are open", 5)

        result = await result_of(work)
        assert result.success, result.message
        await until(lambda: ssh_threads() == [], "the others have ended with the block", 5)
