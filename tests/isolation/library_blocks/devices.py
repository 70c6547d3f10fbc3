"""SSH in a job: an emulated device by asyncssh, and those who connect to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

USES: dict[str, Callable[[], Awaitable[object]]] = {}
_PASSWORD = "lab-password-1"


def use(function: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    """Register what is used, by its name."""
    USES[function.__name__] = function
    return function


@asynccontextmanager
async def _device() -> AsyncIterator[tuple[str, int]]:
    from sdk.testing.devices import EmulatedIos

    async with EmulatedIos("admin", _PASSWORD) as device:
        yield device.host, device.port


@use
async def netmiko() -> None:
    from netmiko import ConnectHandler

    def show(host: str, port: int) -> str:
        with ConnectHandler(
            device_type="cisco_ios", host=host, port=port, username="admin", password=_PASSWORD
        ) as session:
            return str(session.send_command("show version"))

    async with _device() as (host, port):
        assert "IOS" in await asyncio.to_thread(show, host, port)


@use
async def paramiko() -> None:
    from paramiko import MissingHostKeyPolicy, SSHClient

    def show(host: str, port: int) -> None:
        with SSHClient() as client:
            client.set_missing_host_key_policy(MissingHostKeyPolicy())
            client.load_system_host_keys()
            client.connect(host, port, "admin", _PASSWORD, allow_agent=True, look_for_keys=True)
            client.invoke_shell().close()

    async with _device() as (host, port):
        await asyncio.to_thread(show, host, port)


@use
async def asyncssh() -> None:
    import asyncssh as library

    async with (
        _device() as (host, port),
        library.connect(host, port, username="admin", password=_PASSWORD, known_hosts=None) as client,
    ):
        process = await client.create_process(term_type="vt100")
        process.close()


@use
async def sdk_connection() -> None:
    from sdk.connection import Login, connect

    async with (
        _device() as (host, port),
        connect(Login(host=host, port=port, username="admin", password=_PASSWORD), platform="ios") as session,
    ):
        assert (await session.send_command("show clock")).output
