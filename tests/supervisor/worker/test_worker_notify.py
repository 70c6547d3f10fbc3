"""What a worker says of itself: each assignment in a line of its own, and to the watchdog from its loop."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.process import kept
from supervisor.process.systemd import allowed
from supervisor.worker.notify import Notifier, extended_by
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A systemd that listens for this process, which has no keeper."""
    assert kept.sender() is None
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", listener.getsockname())
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        yield listener


def test_without_a_keeper_it_speaks_to_systemd_itself_and_takes_the_address_from_the_environment(
    systemd: socket.socket,
) -> None:
    notifier = Notifier()
    assert "NOTIFY_SOCKET" not in os.environ
    notifier.send("READY=1", "STATUS=ready.")
    assert systemd.recv(100) == b"READY=1\nSTATUS=ready."


def test_without_systemd_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().send("READY=1")


def test_no_text_of_a_status_becomes_an_assignment_and_none_is_too_long_for_the_keeper(
    systemd: socket.socket,
) -> None:
    Notifier().send("READY=1", "STATUS=it failed:\nMAINPID=1\r\n" + "é" * 4000)
    said = systemd.recv(8000)
    assert allowed(said) == said
    ready, status = said.split(b"\n")
    assert ready == b"READY=1"
    assert status.decode().startswith("STATUS=it failed: MAINPID=1 é")


async def test_the_watchdog_hears_of_the_loop_four_times_in_its_time(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    loop = asyncio.get_running_loop()
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def short_sleep(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", short_sleep)
    ticking = loop.create_task(Notifier().tick_for_ever())
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(3):
            assert await loop.sock_recv(systemd, 100) == b"WATCHDOG=1"
    ticking.cancel()
    assert set(pauses) == {0.1}


async def test_where_there_is_no_watchdog_nothing_ticks(systemd: socket.socket) -> None:
    await Notifier().tick_for_ever()
    with pytest.raises(BlockingIOError):
        systemd.recv(100)


@pytest.mark.parametrize("seconds", [0.0, 150.5, 1e14, 1e308])
def test_any_number_of_seconds_that_can_be_set_is_a_time_that_systemd_reads(seconds: float) -> None:
    assert allowed(extended_by(seconds).encode())
