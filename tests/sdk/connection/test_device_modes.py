"""Devices whose prompt has a line above it, or stands in brackets: logging in, and entering configuration."""

import pytest
from connection_support import PASSWORD, SECRET, connected, login_to

from sdk.connection import Login, connect
from sdk.connection.driver import enable_command, make_driver
from sdk.testing.devices import EmulatedIos
from sdk.testing.devices.ios_state import SessionState


@pytest.mark.parametrize(
    ("usual", "configuring"),
    [
        ("\n--{ running }--[  ]--\nA:r1# ", "\n--{ candidate shared default }--[  ]--\nA:r1# "),
        ("\n{master:0}\nadmin@r1> ", "\n{master:0}[edit]\nadmin@r1# "),
        ("admin@r1> ", "\n[edit]\nadmin@r1# "),
        ("\n[/]\nA:admin@r1# ", "\n*(ex)[/configure]\nA:admin@r1# "),
        ("\n[]\nA:admin@r1# ", "\n*[ex:/configure]\nA:admin@r1# "),
        ("<r1>", "[~r1]"),
    ],
)
async def test_a_device_is_logged_in_to_and_its_configuration_is_entered_and_left(
    usual: str, configuring: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prompt(state: SessionState) -> str:
        return configuring if state.mode.configures else usual

    monkeypatch.setattr(SessionState, "prompt", prompt)
    async with connected(login_seconds=15) as connection:
        clock = (await connection.send_command("show clock")).output
        for command in ("configure terminal", "interface Loopback7", "do show clock", "end", "show clock"):
            output = (await connection.send_command(command, timeout=15)).output
            assert len(output.splitlines()) == (1 if "clock" in command else output.count("CNTL")), output
        assert clock.count("\n") == 0
        assert "hostname r1" in await connection.get_config()


@pytest.mark.parametrize(
    ("device_type", "command"),
    [("cisco_ios", "enable"), ("yamaha", "administrator"), ("huawei", None), ("hp_comware", None)],
)
def test_only_what_leads_to_a_privileged_mode_is_sent_for_one(device_type: str, command: str | None) -> None:
    login = Login("192.0.2.1", "admin", password=PASSWORD)
    assert enable_command(make_driver(device_type, login)) == command


async def test_a_login_with_an_enable_secret_stays_in_the_user_view_of_comware(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SessionState, "prompt", lambda state: "<r1>")
    async with (
        EmulatedIos("admin", PASSWORD, "r1") as device,
        connect(
            login_to(device, enable_secret=SECRET), platform="hp_comware", login_seconds=60
        ) as connection,
    ):
        assert connection.prompt == "<r1>"
        assert "UTC" in (await connection.send_command("show clock")).output
        assert "system-view" not in device.typed
