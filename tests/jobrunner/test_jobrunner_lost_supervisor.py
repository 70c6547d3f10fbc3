"""A child whose supervisor is gone has nobody to report to: it ends, and what it has forked decides nothing."""

import asyncio
import socket
from typing import Any

import pytest

from jobrunner import job as job_module
from jobrunner.channel import Channel
from jobrunner.protocol.messages import Order
from tests.patience import PATIENCE_SECONDS

ORDER = Order(
    job_id="1",
    block_id="lab/x:1.0.0",
    job_type="execute",
    run_on="global",
    deadline=0.0,
    job_directory="/",
    log_level=20,
    result_cap_bytes=1000,
)


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
    running = asyncio.ensure_future(job_module._run_until_cancelled(channel, ORDER, b""))
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
