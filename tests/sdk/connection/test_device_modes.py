"""Devices whose prompt has a line above it, or stands in brackets: logging in, and entering configuration."""

import pytest
from connection_support import connected

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
