"""The end of an emulated device, while clients still come, and its end for a moment, when it starts again."""

import asyncio
import contextlib
import gc
import socket

import pytest

from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS, until


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


async def test_nobody_else_gets_the_port_of_a_device_that_starts_again() -> None:
    async with EmulatedIos("admin", "lab-password-1") as device:
        server, place = device._server, (device.host, device.port)
        assert server is not None
        device.device.reload()
        await until(lambda: not server.sockets, "it has begun")
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(place)
        await until(lambda: device._server is not server, "it listens again")
        reader, writer = await asyncio.open_connection(*place)
        assert await asyncio.wait_for(reader.readexactly(4), PATIENCE_SECONDS) == b"SSH-"
        writer.close()
        await writer.wait_closed()
