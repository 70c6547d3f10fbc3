"""A block that forgets to confirm its change does not succeed, as the device is about to take the change back."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
)
from sdk.connection import Configuration, DeviceError, Login, connect, connect_sync
from sdk.connection.change import Change
from sdk.connection.changes.applied import Applied
from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.changes.record import ChangeRecord
from sdk.connection.changes.unconfirmed import UnconfirmedChanges
from sdk.testing.devices import EmulatedIos

PASSWORD = "never-to-be-seen-1"
LINES = ["ntp server 192.0.2.77", "ntp server 192.0.2.78"]


class Nothing(FunctionBlockResultData):
    """No data."""


class Does(FunctionBlock[FunctionBlockParams, Nothing]):
    """Does what it is given, and returns `success`."""

    def __init__(self, work: Callable[[], Awaitable[None]], success: bool = True) -> None:
        super().__init__()
        self._work = work
        self._success = success

    async def run(
        self, params: FunctionBlockParams, context: WorkflowContext
    ) -> FunctionBlockResult[Nothing]:
        await self._work()
        return FunctionBlockResult(success=self._success, message="the block's own words")


async def result_of(
    then: Callable[[Change], Awaitable[Any]] | None,
    *,
    success: bool = True,
    confirm_seconds: float | None = 60,
) -> FunctionBlockResult[Any]:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        login = Login(host=device.host, port=device.port, username="admin", password=PASSWORD)

        async def work() -> None:
            async with connect(login, platform="ios", needs=(Configuration,)) as connection:
                change = await connection.apply(await connection.plan(LINES), confirm_seconds=confirm_seconds)
                if then is not None:
                    await then(change)

        block = Does(work, success)
        return await block.execute_function_block(FunctionBlockParams(), WorkflowContext({}, "global"))


async def test_a_block_that_forgets_to_confirm_fails_and_is_told_device_lines_time_and_what_to_write() -> (
    None
):
    result = await result_of(None)
    assert (result.success, result.retryable) == (False, False)
    assert re.search(
        r"127\.0\.0\.1.* takes its change back at \d\d:\d\d:\d\d UTC, as the block returned success without "
        r"confirming it: 'ntp server 192\.0\.2\.77' and 1 more\. Write `await change\.confirm\(\)`",
        result.message,
    ), result.message


@pytest.mark.parametrize("then", [Change.confirm, Change.undo])
async def test_a_change_that_is_confirmed_or_undone_leaves_the_success(
    then: Callable[[Change], Awaitable[Any]],
) -> None:
    assert (await result_of(then)).success


async def test_a_change_without_a_timer_needs_no_confirmation() -> None:
    assert (await result_of(None, confirm_seconds=None)).success


async def test_a_block_that_fails_by_itself_keeps_its_own_message() -> None:
    result = await result_of(None, success=False)
    assert (result.success, result.message) == (False, "the block's own words")


async def test_a_change_of_blocking_code_is_told_without_await() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        login = Login(host=device.host, port=device.port, username="admin", password=PASSWORD)

        def change() -> None:
            with connect_sync(login, platform="ios", needs=(Configuration,)) as connection:
                connection.apply(connection.plan(LINES), confirm_seconds=60)

        block = Does(lambda: asyncio.to_thread(change))
        result = await block.execute_function_block(FunctionBlockParams(), WorkflowContext({}, "global"))
    assert not result.success
    assert "Write `change.confirm()`" in result.message


def test_a_timer_that_has_run_out_is_told_as_such_and_every_device_is_named() -> None:
    changes = UnconfirmedChanges()
    for where in ("r1", "r2"):
        record = ChangeRecord(where, 1)
        record.begin(-60)
        record.made()
        line = ConfigurationLine("ntp server 192.0.2.77")
        changes.add(Applied(applied=(line,), timer=ConfirmTimer("timer", -60), record=record), "write this")
    with pytest.raises(DeviceError, match=r"r1 took its change back at .* so it is with r2\."):
        changes.check_success()
