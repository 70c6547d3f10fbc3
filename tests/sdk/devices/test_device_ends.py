"""The end of an emulated device, while clients still come."""

import asyncio
import contextlib
import gc
import socket

import pytest

from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS


def read_to_the_end(client: socket.socket) -> None:
    with contextlib.suppress(ConnectionResetError):
        while client.recv(4096):
            pass


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize(
    "faults",
    [Faults(), Faults(no_banner=True), Faults(half_open_at="show clock")],
    ids=["ssh", "other service", "behind a front"],
)
async def test_a_client_that_comes_while_the_device_ends_is_cut_and_nothing_of_it_stays_open(
    faults: Faults, turns: int
) -> None:
    with socket.socket() as client:
        client.settimeout(PATIENCE_SECONDS)
        async with EmulatedIos("admin", "lab-password-1", faults=faults) as device:
            client.connect((device.host, device.port))  # the kernel takes it, before the device knows of it
            for _ in range(turns):
                await asyncio.sleep(0)
        await asyncio.to_thread(read_to_the_end, client)
    gc.collect()  # a transport that was left open is an error of this test, not of one that comes later
