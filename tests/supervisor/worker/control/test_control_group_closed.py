"""A control group that can't be let in: said once in the log, and the socket is there all the same."""

import logging
import threading
from pathlib import Path

import pytest

from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control import socket as socket_module
from supervisor.worker.control.socket import Control
from tests.patience import until


async def test_without_the_group_the_socket_is_there_and_a_warning_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("supervisor.worker.control_socket.place.of_systemd", "")
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


class Opened:
    """Stands in for a socket that listens."""

    closed_to_group = None
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class SlowOpening:
    """Opens a socket, but not before it may."""

    def __init__(self) -> None:
        self.opened = Opened()
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def open(self, _settings: DaemonSettings) -> Opened:
        self.has_begun.set()
        self.may_end.wait()
        return self.opened


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowOpening:
    """How the control socket is opened meanwhile."""
    opening = SlowOpening()
    monkeypatch.setattr(socket_module, "_open", opening.open)
    return opening


@pytest.mark.parametrize("is_in_time", [True, False], ids=["opened before", "opened after"])
async def test_a_socket_that_is_opened_while_the_worker_ends_is_closed_again(
    slow: SlowOpening, is_in_time: bool
) -> None:
    opening = socket_module._Opening(None)  # type: ignore[arg-type]
    thread = threading.Thread(target=opening.open)
    thread.start()
    await until(slow.has_begun.is_set, "it is being opened")
    if is_in_time:
        slow.may_end.set()
        thread.join()
    opening.leave()
    slow.may_end.set()
    thread.join()
    assert slow.opened.is_closed


async def test_who_ends_the_worker_while_its_socket_is_opened_leaves_it(
    tmp_path: Path, slow: SlowOpening
) -> None:
    settings = DaemonSettings(_cli_parse_args=False, engine_url="http://127.0.0.1:1", state_dir=tmp_path)
    async with Control(settings).serving():
        await until(slow.has_begun.is_set, "it is being opened")
    assert not slow.opened.is_closed
    slow.may_end.set()
    await until(lambda: slow.opened.is_closed, "it is closed")
