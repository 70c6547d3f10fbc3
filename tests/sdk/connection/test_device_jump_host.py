"""A device behind a jump host, and logins by key."""

import asyncio
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
from connection_support import PASSWORD, login_to, ssh_threads

from sdk.connection import Cause, DeviceError, JumpHost, Login, connect
from sdk.connection.credentials import private_key_of
from sdk.connection.errors import (
    BadKeyFileError,
    ConnectTimeoutError,
    HostKeyChangedError,
    JumpHostForbidsError,
    NoBannerError,
    UnreachableError,
    WrongPasswordError,
)
from sdk.connection.login import login_of
from sdk.testing.devices import EmulatedIos, Faults
from tests.patience import PATIENCE_SECONDS, until

JUMP_PASSWORD = "never-to-be-seen-3"


def jump_host(forwards: bool = True, **settings: Any) -> EmulatedIos:
    return EmulatedIos("jump", JUMP_PASSWORD, "jump1", forwards=forwards, **settings)


def through(jump: EmulatedIos, **changes: Any) -> JumpHost:
    values = {"host": jump.host, "port": jump.port, "username": "jump", "password": JUMP_PASSWORD, **changes}
    return JumpHost(**values)


async def ask(device: EmulatedIos, jump: JumpHost | None = None, **changes: Any) -> str:
    async with connect(
        login_to(device, jump=jump, **changes), platform="ios", login_seconds=20
    ) as connection:
        answer = await connection.send_command("show clock")
        return answer.output


async def test_a_device_is_reached_through_its_jump_host_and_nothing_of_it_stays() -> None:
    async with jump_host() as jump, EmulatedIos("admin", PASSWORD, "r1") as device:
        assert "UTC" in await ask(device, through(jump))
        assert (jump.passwords_received, device.passwords_received) == (1, 1)
        await until(lambda: not ssh_threads())
        await until(lambda: not jump._connections and not device._connections)


async def test_the_jump_hosts_own_key_is_checked_before_it_gets_a_password() -> None:
    async with jump_host() as jump, EmulatedIos("admin", PASSWORD, "r1") as device:
        await ask(device, through(jump))
        jump.renew_host_key()
        with pytest.raises(HostKeyChangedError, match="The jump host"):
            await ask(device, through(jump))
        assert (jump.passwords_received, device.passwords_received) == (1, 1)


async def test_the_key_of_a_device_behind_a_jump_host_is_checked_too() -> None:
    async with jump_host() as jump, EmulatedIos("admin", PASSWORD, "r1") as device:
        await ask(device, through(jump))
        device.renew_host_key()
        with pytest.raises(HostKeyChangedError) as raised:
            await ask(device, through(jump))
        assert "jump" not in str(raised.value)
        assert device.passwords_received == 1


async def test_a_jump_host_that_is_down_is_named() -> None:
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        async with jump_host() as jump:
            gone = through(jump)
        with pytest.raises(UnreachableError) as raised:
            await ask(device, gone)
    assert str(raised.value).startswith(f"The jump host {gone.host} port {gone.port} can't be reached")
    assert raised.value.retryable is True


async def test_a_device_that_is_down_behind_its_jump_host_is_named() -> None:
    async with jump_host() as jump:
        async with EmulatedIos("admin", PASSWORD, "r1") as device:
            login = login_to(device, jump=through(jump))
        with pytest.raises(UnreachableError) as raised:
            async with connect(login, platform="ios", login_seconds=20):
                pass
        assert str(raised.value).startswith(f"{login.host} port {login.port} can't be reached: the jump host")
        assert raised.value.retryable is True


async def test_a_jump_host_that_forwards_nothing_is_no_matter_of_waiting() -> None:
    async with jump_host(forwards=False) as jump, EmulatedIos("admin", PASSWORD, "r1") as device:
        with pytest.raises(JumpHostForbidsError) as raised:
            await ask(device, through(jump))
        assert raised.value.retryable is False
        assert str(jump.port) in str(raised.value)


async def test_a_jump_host_that_refuses_the_login_is_named_and_no_secret_is() -> None:
    async with jump_host() as jump, EmulatedIos("admin", PASSWORD, "r1") as device:
        with pytest.raises(WrongPasswordError, match="The jump host") as raised:
            await ask(device, through(jump, password="never-to-be-seen-4"))
        assert "never-to-be-seen" not in str(raised.value)
        assert device.passwords_received == 0


@pytest.mark.parametrize("is_jump", [True, False])
async def test_silence_on_the_way_ends_at_the_limit(is_jump: bool) -> None:
    silent = Faults(no_banner=True)
    async with (
        jump_host(faults=silent if is_jump else None) as jump,
        EmulatedIos("admin", PASSWORD, "r1", faults=Faults() if is_jump else silent) as device,
    ):
        # Where the device is silent, a slow machine may need more to come as far as that.
        for login_seconds in (1.5, 30):
            with pytest.raises(DeviceError) as raised:
                async with (
                    asyncio.timeout(PATIENCE_SECONDS),
                    connect(
                        login_to(device, jump=through(jump)), platform="ios", login_seconds=login_seconds
                    ),
                ):
                    pass
            if is_jump or "The jump host" not in str(raised.value):
                break
        assert isinstance(raised.value, NoBannerError | ConnectTimeoutError)
        assert raised.value.retryable is True
        assert ("The jump host" in str(raised.value)) is is_jump
    await until(lambda: not ssh_threads())


async def test_cancelling_ends_the_login_at_the_jump_host() -> None:
    async with (
        jump_host(faults=Faults(no_banner=True)) as jump,
        EmulatedIos("admin", PASSWORD, "r1") as device,
    ):
        task = asyncio.ensure_future(ask(device, through(jump)))
        await until(ssh_threads)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not ssh_threads())


def key_in(directory: Path, passphrase: str | None = None, kind: str = "ssh-ed25519") -> tuple[Path, str]:
    """A private key in a file, and the public one."""
    key = asyncssh.generate_private_key(kind)
    path = directory / "key"
    # What asyncssh writes of ECDSA in OpenSSH's own format, paramiko can't read; what ssh-keygen writes, it can.
    # Of 128 rounds, which are to slow down who guesses, those that bcrypt does not warn about.
    how: dict[str, Any] = {"format_name": "pkcs1-pem"} if kind.startswith("ecdsa") else {"rounds": 50}
    key.write_private_key(str(path), passphrase=passphrase, **how)
    return path, key.export_public_key().decode()


@pytest.mark.parametrize("passphrase", [None, "never-to-be-seen-5"])
@pytest.mark.parametrize("kind", ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"])
async def test_a_key_logs_in_without_a_password(tmp_path: Path, kind: str, passphrase: str | None) -> None:
    path, public = key_in(tmp_path, passphrase, kind)
    async with EmulatedIos("admin", PASSWORD, "r1", authorized_key=public) as device:
        changes = {"password": None, "key_file": str(path), "passphrase": passphrase}
        assert "UTC" in await ask(device, **changes)
        assert device.passwords_received == 0


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("takes_keys", [False, True])
async def test_a_device_that_does_not_take_the_key_gets_the_password_where_there_is_one(
    tmp_path: Path, takes_keys: bool, asks: bool
) -> None:
    path, _ = key_in(tmp_path)
    another = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    async with EmulatedIos(
        "admin",
        PASSWORD,
        "r1",
        faults=Faults(keyboard_interactive_only=asks),
        authorized_key=another if takes_keys else None,
    ) as device:
        assert "UTC" in await ask(device, key_file=str(path))
        assert device.passwords_received == 1
        with pytest.raises(WrongPasswordError) as refused:
            await ask(device, key_file=str(path), password="never-to-be-seen-8")
        what = "key and the password" if takes_keys else "password"
        assert f"refused the username or the {what}." in str(refused.value)
        with pytest.raises(DeviceError) as alone:
            await ask(device, key_file=str(path), password=None)
        assert alone.value.cause is (Cause.WRONG_PASSWORD if takes_keys else Cause.NO_LOGIN_METHOD)
        assert device.passwords_received == 2


@pytest.mark.parametrize(
    ("kind", "passphrase"),
    [
        ("ssh-ed25519", None),
        ("ssh-rsa", None),
        ("ecdsa-sha2-nistp256", None),
        ("ssh-ed25519", "never-to-be-seen-5"),
    ],
)
async def test_a_key_that_the_inventory_holds_itself_logs_in(
    tmp_path: Path, kind: str, passphrase: str | None
) -> None:
    path, public = key_in(tmp_path, passphrase, kind)
    text = path.read_text()
    path.unlink()
    async with EmulatedIos("admin", PASSWORD, "r1", authorized_key=public) as device:
        changes = {"password": None, "private_key": text, "passphrase": passphrase}
        assert "UTC" in await ask(device, **changes)
        assert device.passwords_received == 0


async def test_a_key_that_the_inventory_holds_itself_opens_the_jump_host(tmp_path: Path) -> None:
    path, public = key_in(tmp_path)
    async with jump_host(authorized_key=public) as jump, EmulatedIos("admin", PASSWORD, "r1") as device:
        assert "UTC" in await ask(device, through(jump, password=None, private_key=path.read_text()))
        assert (jump.passwords_received, device.passwords_received) == (0, 1)


def test_a_key_in_the_connection_options_is_a_secret_by_each_of_its_lines(tmp_path: Path) -> None:
    path, _ = key_in(tmp_path)
    options = json.dumps({"private_key": path.read_text(), "jump_host": {"host": "j"}})
    device = SimpleNamespace(ip="10.0.0.1", hostname="r1", username="admin", connection_options=options)
    login = login_of(device)
    lines = [line for line in path.read_text().splitlines() if not line.startswith("-----")]
    assert set(lines) <= login.secrets
    assert login.jump is not None
    assert login.jump_login.private_key == login.private_key
    assert not any(line in f"{login!r}{login.jump!r}{login.jump_login!r}" for line in lines)


def test_a_file_that_the_user_of_a_job_may_not_read_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = key_in(tmp_path)
    login = Login("10.0.0.1", "admin", key_file=str(path))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")  # root may read all

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(BadKeyFileError) as raised:
        private_key_of(login)
    monkeypatch.undo()
    assert f"runs as user {os.geteuid()}" in str(raised.value)
    assert "--job-users" in str(raised.value)
    assert "`private_key`" in str(raised.value)


async def test_a_passphrase_that_a_key_does_not_need_does_no_harm(tmp_path: Path) -> None:
    path, public = key_in(tmp_path)
    async with EmulatedIos("admin", PASSWORD, "r1", authorized_key=public) as device:
        changes = {"password": None, "key_file": str(path), "passphrase": "never-to-be-seen-5"}
        assert "UTC" in await ask(device, **changes)


async def test_a_key_opens_the_jump_host(tmp_path: Path) -> None:
    path, public = key_in(tmp_path)
    async with jump_host(authorized_key=public) as jump, EmulatedIos("admin", PASSWORD, "r1") as device:
        assert "UTC" in await ask(device, through(jump, password=None, key_file=str(path)))
        assert (jump.passwords_received, device.passwords_received) == (0, 1)


async def test_a_key_that_can_not_be_used_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    encrypted, _ = key_in(tmp_path, "never-to-be-seen-5")
    (tmp_path / "text").write_text("never-to-be-seen-6")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"key_file": "key"}, "no full path"),
        ({"key_file": str(tmp_path / "missing")}, "No such file"),
        ({"key_file": str(tmp_path)}, "no file with a key"),
        ({"key_file": str(tmp_path / "text")}, "no private key that can be read"),
        ({"key_file": str(encrypted)}, "it is encrypted"),
        (
            {"private_key": "never-to-be-seen-6"},
            "the private key in `private_key` can't be used: it is no private",
        ),
        ({"private_key": encrypted.read_text()}, "it is encrypted"),
        ({"private_key": encrypted.read_text(), "passphrase": "never-to-be-seen-7"}, "does not fit"),
        ({"key_file": str(encrypted), "passphrase": "never-to-be-seen-7"}, "the passphrase does not fit"),
    ]
    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        for changes, said in cases:
            with pytest.raises(BadKeyFileError) as raised:
                await ask(device, **changes)
            assert said in str(raised.value)
            assert raised.value.retryable is False
            assert "never-to-be-seen" not in str(raised.value)
        assert device.passwords_received == 0
        assert not device._connections
