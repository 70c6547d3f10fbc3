"""How a lab waits for the SSH server of a router: on one connection, and it closes each that it gives up."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from sdk.testing.frr_lab import inside
from tests.patience import PATIENCE_SECONDS

ADDRESS = "10.99.0.11"
BANNER = b"SSH-2.0-made_up\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Router:
    """Connections to an SSH server, which the lab gets one after the other, each at once."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []
        self.streams: list[Streams] = []
        self.taken = 0

    async def open_connection(self, address: str, port: int) -> Streams:
        assert (address, port) == (ADDRESS, 22)
        self.taken += 1
        return self.streams[self.taken - 1]

    async def is_closed(self, number: int) -> bool:
        heard = asyncio.get_running_loop().sock_recv(self.ends[number], 1)
        return await asyncio.wait_for(heard, PATIENCE_SECONDS) == b""


@pytest.fixture
async def router(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Router]:
    router = Router()
    for _ in range(3):
        end, other = socket.socketpair()
        end.setblocking(False)
        router.ends.append(end)
        router.streams.append(await asyncio.open_connection(sock=other))
    monkeypatch.setattr("asyncio.open_connection", router.open_connection)
    yield router
    for end, (_, writer) in zip(router.ends, router.streams, strict=True):
        end.close()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_a_router_that_is_slow_with_its_banner_is_asked_on_one_connection(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "CONNECT_SECONDS", 0.05)
    asking = asyncio.create_task(inside._until_banner(ADDRESS))
    await asyncio.sleep(1.0)  # much longer than a connection may take
    assert router.taken == 1
    router.ends[0].sendall(BANNER)
    await asyncio.wait_for(asking, PATIENCE_SECONDS)
    assert await router.is_closed(0)


async def test_a_connection_without_a_banner_is_closed_before_the_router_is_asked_again(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "BANNER_SECONDS", 0.05)
    for end in router.ends[1:]:
        end.sendall(BANNER)
    asking = asyncio.create_task(inside._until_banner(ADDRESS))
    assert await router.is_closed(0)
    await asyncio.wait_for(asking, PATIENCE_SECONDS)
    assert router.taken > 1
    assert await router.is_closed(1)
