"""Whether a device is the one that is known is found out before it gets a password."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest
from connection_support import PASSWORD, login_to

from sdk.connection import connect, connect_sync
from sdk.connection.errors import HostKeyChangedError, HostKeyUnknownError
from sdk.known_hosts import KnownHosts, use_known_hosts
from sdk.testing.devices import EmulatedIos

Reports = list[tuple[str, int, str, str]]


@pytest.fixture
def reports() -> Iterator[Reports]:
    """What would be told to the worker, which accepts new keys."""
    told: Reports = []
    use_known_hosts(KnownHosts(report=lambda *report: told.append(report)))
    yield told
    use_known_hosts(KnownHosts())


def know(*keys: tuple[str, int, str, str], policy: str = "accept-new") -> None:
    use_known_hosts(KnownHosts(policy, keys))


@asynccontextmanager
async def device() -> AsyncIterator[EmulatedIos]:
    async with EmulatedIos("admin", PASSWORD, "r1") as one:
        yield one


async def log_in(one: EmulatedIos, **settings: Any) -> None:
    async with connect(login_to(one), platform="ios", **settings) as connection:
        await connection.send_command("show clock")


async def test_a_changed_key_stops_before_a_password_is_sent(reports: Reports) -> None:
    async with device() as one:
        await log_in(one)
        assert one.passwords_received == 1
        old = one.host_key
        one.renew_host_key()
        with pytest.raises(HostKeyChangedError) as raised:
            await log_in(one)
        assert one.passwords_received == 1
        assert reports == [(one.host, one.port, *old.split())]
    said = str(raised.value)
    assert raised.value.retryable is False
    assert f"{one.host} port" in said
    for key in (old, one.host_key):
        digest = asyncssh.import_public_key(key).get_fingerprint("sha256")
        assert digest in said
    assert f"supervisor host-keys forget {one.host}" in said


async def test_a_changed_key_stops_the_login_without_async_too(reports: Reports) -> None:
    import asyncio

    def log_in_there(one: EmulatedIos) -> None:
        with connect_sync(login_to(one), platform="ios"):
            pass

    async with device() as one:
        await asyncio.to_thread(log_in_there, one)
        one.renew_host_key()
        with pytest.raises(HostKeyChangedError):
            await asyncio.to_thread(log_in_there, one)
        assert one.passwords_received == 1


async def test_under_strict_an_unknown_key_stops_before_a_password_is_sent() -> None:
    async with device() as one:
        know(policy="strict")
        with pytest.raises(HostKeyUnknownError, match="--known-hosts") as raised:
            await log_in(one)
        assert raised.value.retryable is False
        assert one.passwords_received == 0
        key_type, key = one.host_key.split()
        know((one.host, one.port, key_type, key), policy="strict")
        await log_in(one)
        assert one.passwords_received == 1


async def test_off_connects_to_whatever_is_there(reports: Reports) -> None:
    async with device() as one:
        know((one.host, one.port, "ssh-ed25519", "AAAA"), policy="off")
        await log_in(one)


async def test_a_block_can_be_stricter_than_the_worker_and_not_looser(reports: Reports) -> None:
    async with device() as one:
        with pytest.raises(HostKeyUnknownError):
            await log_in(one, host_keys="strict")
        know((one.host, one.port, "ssh-ed25519", "AAAA"))
        with pytest.raises(HostKeyChangedError):
            await log_in(one, host_keys="off")
        assert one.passwords_received == 0
        with pytest.raises(ValueError, match="never"):
            connect(login_to(one), platform="ios", host_keys="never")


async def test_a_device_with_two_keys_is_asked_for_the_one_that_is_known() -> None:
    keys = [asyncssh.generate_private_key(kind) for kind in ("ssh-ed25519", "ssh-rsa")]
    passwords: list[str] = []

    class Server(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            passwords.append(password)
            return False

    server = await asyncssh.create_server(Server, "127.0.0.1", 0, server_host_keys=keys)
    async with server:
        port = server.get_port()
        login = {"host": "127.0.0.1", "port": port, "username": "u", "password": PASSWORD}
        from sdk.connection import Login
        from sdk.connection.errors import WrongPasswordError

        for key in keys:
            key_type, text = key.export_public_key().decode().split()[:2]
            know(("127.0.0.1", port, key_type, text))
            with pytest.raises(WrongPasswordError):
                async with connect(Login(**login), platform="ios"):
                    pass
    assert passwords == [PASSWORD, PASSWORD]
