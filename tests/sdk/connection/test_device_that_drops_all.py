"""A login to an address from which nothing comes, as behind a firewall that drops everything."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from connection_support import PASSWORD, connected

from sdk.connection import Cause, DeviceError, JumpHost, Login, connect
from sdk.connection.deadline import Deadline
from sdk.connection.errors import UnreachableError
from sdk.connection.tcp import connect_tcp
from tests.patience import PATIENCE_SECONDS, until
from tests.programs.device_faults.places import HOST, port_that_drops_all

LONG_SECONDS = 10 * PATIENCE_SECONDS
SOON_SECONDS = 30.0
"""Sooner than the kernel gives a connection up, which takes it two minutes."""


@pytest.fixture
def port() -> Iterator[int]:
    with port_that_drops_all() as port:
        yield port


async def enter(login: Login, login_seconds: float) -> None:
    async with connect(login, platform="ios", login_seconds=login_seconds):
        pass


def login_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("the login to")]


@pytest.mark.parametrize("after_seconds", [0, 0.3])
@pytest.mark.parametrize("has_jump_host", [False, True])
async def test_a_login_that_is_cancelled_ends_its_thread(
    port: int, has_jump_host: bool, after_seconds: float
) -> None:
    jump = JumpHost(HOST, "jump", port, password=PASSWORD) if has_jump_host else None
    login = Login(host=HOST, port=port, username="admin", password=PASSWORD, jump=jump)
    task = asyncio.create_task(enter(login, LONG_SECONDS))
    await until(login_threads)
    await asyncio.sleep(after_seconds)  # nothing is waited for: each of these moments must do
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not login_threads(), "the thread of the login has ended", SOON_SECONDS)


async def test_a_login_that_nobody_answers_ends_at_its_limit(port: int) -> None:
    login = Login(host=HOST, port=port, username="admin", password=PASSWORD)
    with pytest.raises(DeviceError) as raised:
        await enter(login, 0.3)
    assert (raised.value.cause, raised.value.retryable) == (Cause.CONNECT_TIMEOUT, True)


def test_whoever_shuts_the_socket_down_ends_the_wait_for_the_device(port: int) -> None:
    with pytest.raises(UnreachableError):
        connect_tcp(
            HOST,
            port,
            deadline=Deadline(LONG_SECONDS),
            opened=lambda connection: connection.shutdown(socket.SHUT_RDWR),
        )


async def test_a_limit_of_months_is_one_that_can_be_waited_for() -> None:
    async with connected(login_seconds=10_000_000) as connection:
        assert "UTC" in (await connection.send_command("show clock", timeout=10_000_000)).output
