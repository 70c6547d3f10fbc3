"""The end of the control socket, also on a disk that does not answer."""

import asyncio
import threading
from pathlib import Path

import pytest

from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control import socket as socket_module
from supervisor.worker.control.socket import Control
from supervisor.worker.control_socket.listener import Listening
from supervisor.worker.control_socket.place import SOCKET
from tests.patience import PATIENCE_SECONDS, until


async def test_a_disk_that_does_not_answer_does_not_keep_the_worker_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "CLOSE_SECONDS", 0.05)
    monkeypatch.setattr("supervisor.worker.control_socket.place.of_systemd", "")
    may_end, close = threading.Event(), Listening.close

    def hang(listening: Listening) -> None:
        may_end.wait(PATIENCE_SECONDS)
        close(listening)

    monkeypatch.setattr(Listening, "close", hang)
    control = Control(
        DaemonSettings(_cli_parse_args=False, engine_url="http://127.0.0.1:1", state_dir=tmp_path)
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with control.serving():
                await until(lambda: (tmp_path / "run" / SOCKET).exists(), "the socket is there")
        assert not may_end.is_set()
        assert (tmp_path / "run" / SOCKET).exists()
    finally:
        may_end.set()
    await until(lambda: not (tmp_path / "run" / SOCKET).exists(), "the disk answers again")
