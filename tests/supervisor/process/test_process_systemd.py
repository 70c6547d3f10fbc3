"""What may be said to systemd, and where it listens."""

import os
import socket
from pathlib import Path

import pytest

from supervisor.process.systemd import MAX_BYTES, Systemd, allowed


@pytest.mark.parametrize(
    "message",
    [
        b"READY=1\nSTATUS=The worker is ready: 3 block(s)",
        b"RELOADING=1\nMONOTONIC_USEC=123456789",
        b"STOPPING=1\nEXTEND_TIMEOUT_USEC=150000000",
        b"WATCHDOG=1",
        b"ERRNO=2",
        "STATUS=bereit f\xfcr alles".encode(),
    ],
)
def test_what_a_worker_says_of_itself_is_allowed(message: bytes) -> None:
    assert allowed(message) == message


@pytest.mark.parametrize(
    "line",
    [
        b"MAINPID=1",
        b"MAINPIDFDID=1",
        b"WATCHDOG=trigger",
        b"WATCHDOG_USEC=1",
        b"FDSTORE=1",
        b"BARRIER=1",
        b"BUSERROR=x",
        b"NOTIFYACCESS=all",
        b"READY=0",
        b" READY=1",
        b"READY=1 ",
        b"MONOTONIC_USEC=-1",
        b"ERRNO=",
        b"STATUS=a\x1b[31m",
        b"x",
        b"",
    ],
)
def test_all_else_is_left_out_and_its_neighbours_are_said(line: bytes) -> None:
    assert allowed(line) == b""
    assert allowed(b"STATUS=before\n" + line + b"\nWATCHDOG=1") == b"STATUS=before\nWATCHDOG=1"


def test_what_is_no_text_or_too_long_is_not_said_at_all() -> None:
    assert allowed(b"READY=1\nSTATUS=\xff") == b""
    longest = b"STATUS=" + b"x" * (MAX_BYTES - 7)
    assert allowed(longest) == longest
    assert allowed(longest + b"x") == b""


def test_the_environment_does_not_say_any_more_where_it_listens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    systemd = Systemd.from_environment()
    assert systemd is not None
    assert systemd.watchdog_seconds == 60
    assert {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}.isdisjoint(os.environ)
    assert Systemd.from_environment() is None


@pytest.mark.parametrize(
    ("microseconds", "process"), [("", ""), ("0", ""), ("soon", ""), ("-1", ""), ("60000000", "1")]
)
def test_without_a_watchdog_for_this_process_there_is_none(
    monkeypatch: pytest.MonkeyPatch, microseconds: str, process: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "@nobody")
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.setenv("WATCHDOG_PID", process)
    systemd = Systemd.from_environment()
    assert systemd is not None
    assert systemd.watchdog_seconds is None


def test_a_full_queue_is_told_from_an_address_where_nobody_listens(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        systemd = Systemd(address, None)
        sent = 0
        while systemd.send(b"WATCHDOG=1"):
            sent += 1
            assert sent < 100_000
        assert sent >= 1
        listener.recv(100)
        assert systemd.send(b"READY=1")
    assert systemd.send(b"READY=1"), "nobody listens: there is nothing to wait for"
