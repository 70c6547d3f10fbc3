"""A child whose supervisor is gone has nobody to report to: it ends, and what it has forked decides nothing."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from jobrunner import job as job_module
from jobrunner.channel import Channel
from jobrunner.outcome import failed
from jobrunner.protocol.frames import receive_frame
from jobrunner.protocol.messages import Begin, Order, Outcome, from_child
from sdk.connection.changes.record import report_changes
from sdk.execution import OutcomeBody
from tests.patience import PATIENCE_SECONDS

ORDER = Order(
    job_id="1",
    block_id="lab/x:1.0.0",
    job_type="execute",
    run_on="global",
    job_directory="/",
    log_level=20,
    result_cap_bytes=1000,
)


@pytest.fixture(autouse=True)
def told_by_nobody_afterwards() -> Iterator[None]:
    """What runs here as in a child has this process tell of changes of devices: not those of other tests."""
    yield
    report_changes(None)


@pytest.mark.parametrize("is_mine", [True, False], ids=["the child", "a fork of it"])
async def test_a_child_ends_at_once_when_its_channel_does_and_a_fork_of_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, is_mine: bool
) -> None:
    codes: list[int] = []
    watched = asyncio.get_running_loop()

    async def endless(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(job_module, "_run_block", endless)
    monkeypatch.setattr(job_module.os, "_exit", codes.append)
    near, far = socket.socketpair()
    channel = Channel(near.detach())
    monkeypatch.setattr(Channel, "is_mine", is_mine)
    running = asyncio.ensure_future(job_module._run_until_cancelled(channel, ORDER, 0.0, b"", {}))
    await asyncio.sleep(0)
    far.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        # A channel at its end is always readable: it is left when it has been heard.
        while watched._selector.get_map().get(channel.fileno()) is not None:
            await asyncio.sleep(0.001)
    assert codes == ([1] if is_mine else [])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    channel._socket.close()


def test_what_a_block_leaves_to_be_cleaned_up_changes_nothing_that_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task of it may end the loop while this is torn down. A second outcome would contradict the first (I8)."""
    left: list[asyncio.Task[None]] = []

    async def returns(*_: Any) -> OutcomeBody:
        async def ends_the_loop() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise SystemExit

        left.append(asyncio.ensure_future(ends_the_loop()))
        await asyncio.sleep(0)
        return failed("what the block returned")

    monkeypatch.setattr(job_module, "_run_until_cancelled", returns)
    monkeypatch.setattr(job_module, "mask_with", lambda *_: None)
    near, far = socket.socketpair()
    with far:
        channel = Channel(near.detach())
        far.sendall(Begin(deadline=0.0).pack(b"{}"))
        job_module.run_order(channel, ORDER)
        channel.close()
        outcome = from_child(receive_frame(far, 1000))
        assert isinstance(outcome, Outcome)
        assert outcome.message == "what the block returned"
        assert far.recv(1) == b""
    assert isinstance(left[0].exception(), SystemExit)  # so it was


def test_a_loop_that_ends_before_anything_was_said_is_told_as_the_block_s_own_doing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ends_the_loop(*_: Any) -> OutcomeBody:
        raise SystemExit(3)

    monkeypatch.setattr(job_module, "_run_until_cancelled", ends_the_loop)
    monkeypatch.setattr(job_module, "mask_with", lambda *_: None)
    near, far = socket.socketpair()
    with far:
        channel = Channel(near.detach())
        far.sendall(Begin(deadline=0.0).pack(b'{"parameters": {}, "context": {}}'))
        job_module.run_order(channel, ORDER)
        channel.close()
        outcome = from_child(receive_frame(far, 1000))
        assert isinstance(outcome, Outcome)
        assert outcome.raised
        assert "lab/x:1.0.0 (a task or callback of its own, which ended its event loop)" in outcome.message
        assert far.recv(1) == b""
