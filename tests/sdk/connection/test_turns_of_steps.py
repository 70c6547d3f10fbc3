"""Steps for which no thread is free wait for their turn, and their limits count from then on."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from connection_support import PASSWORD, connected, login_to

from sdk.concurrency import run_in_thread
from sdk.connection import Cause, DeviceError, connect
from sdk.connection.answer import Answer
from sdk.connection.errors import CommandTimeoutError
from sdk.connection.threads import Step, run_limited
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS, until

SHORT_SECONDS = 2.0
"""A limit for what never comes. It passes while a step waits for its turn, and once more behind that.

It is long enough for a connection on a machine that stands still for a second.
"""
LONGER_SECONDS = 1.25 * SHORT_SECONDS


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop of each test has one thread where others have 128."""
    monkeypatch.setattr("sdk.concurrency.threads.MOST_THREADS", 1)


@asynccontextmanager
async def thread_taken() -> AsyncIterator[threading.Event]:
    """The only thread is taken until the event is set."""
    go_on = threading.Event()
    holding = asyncio.create_task(run_in_thread(go_on.wait)(PATIENCE_SECONDS))
    await asyncio.sleep(0)
    try:
        yield go_on
    finally:
        go_on.set()
        await holding


async def test_a_healthy_device_answers_behind_one_that_hangs_for_as_long_as_the_limit() -> None:
    async with (
        connected(Faults(command_hang="show clock")) as hung,
        connected() as healthy,
    ):
        late, answer = await asyncio.gather(
            *(each.send_command("show clock", timeout=2) for each in (hung, healthy)), return_exceptions=True
        )
    assert isinstance(late, CommandTimeoutError)
    assert isinstance(answer, Answer), answer
    assert "UTC" in answer.output


async def test_a_command_is_not_called_late_before_it_was_sent() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(command_hang="show clock")) as device:
        async with connect(login_to(device), platform="ios") as connection, thread_taken() as go_on:
            asking = asyncio.create_task(connection.send_command("show clock", timeout=SHORT_SECONDS))
            await asyncio.sleep(LONGER_SECONDS)
            assert (asking.done(), "show clock" in device.typed) == (False, False)
            go_on.set()
            with pytest.raises(CommandTimeoutError, match=r"within 2 s"):
                await asking
        await until(lambda: "show clock" in device.typed, "the device has read the command")


async def test_a_login_is_not_called_late_before_it_has_begun() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(no_banner=True)) as device:

        async def enter() -> None:
            async with connect(login_to(device), platform="ios", login_seconds=SHORT_SECONDS):
                pass

        async with thread_taken() as go_on:
            entering = asyncio.create_task(enter())
            await asyncio.sleep(LONGER_SECONDS)
            assert not entering.done()
            go_on.set()
            with pytest.raises(DeviceError) as raised:
                await entering
        # Of a login that had not begun, it was said that no TCP connection was accepted.
        assert raised.value.cause is Cause.NO_BANNER


async def test_a_step_that_is_cancelled_before_its_turn_never_begins_and_takes_no_turn() -> None:
    begun: list[str] = []
    step = Step("a step", lambda: begun.append("run"), lambda: begun.append("abort"), TimeoutError)
    async with thread_taken() as go_on:
        waiting = asyncio.create_task(run_limited(step, PATIENCE_SECONDS))
        await asyncio.sleep(0)
        waiting.cancel()
        go_on.set()  # its turn may come before it knows of the cancellation
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await run_in_thread(lambda: "next")() == "next"
    assert begun == ["abort"]
