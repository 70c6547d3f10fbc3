"""A control group that can't be let in: said once in the log, and the socket is there all the same."""

import logging
from pathlib import Path

import pytest

from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control.socket import Control
from tests.patience import until


async def test_without_the_group_the_socket_is_there_and_a_warning_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("supervisor.control.place.of_systemd", "")
    settings = DaemonSettings(
        _cli_parse_args=False,
        engine_url="http://127.0.0.1:1",
        state_dir=tmp_path,
        control_group="no-such-group",
    )
    socket = tmp_path / "run/control.sock"
    with caplog.at_level(logging.WARNING):
        async with Control(settings, look_seconds=0.01).serving():
            await until(socket.exists, "the socket is there")
            socket.unlink()
            await until(socket.exists, "it is made anew")
    said = [record.getMessage() for record in caplog.records if "Members of the group" in record.getMessage()]
    assert len(said) == 1
    assert "There is no group no-such-group: make it, or change --control-group." in said[0]
