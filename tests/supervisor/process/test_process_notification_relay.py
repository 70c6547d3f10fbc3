"""The way of a notification through the keeper: in order, filtered, and waiting for nobody."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.process.notification_relay import NotificationRelay, NotificationSender
from supervisor.process.systemd import Systemd
from tests.patience import wait_until

# Python 3.12 and newer warn of a fork where there are threads, such as those of whoever spreads tests over processes.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        yield systemd


@pytest.fixture
def relay(listener: socket.socket) -> Iterator[NotificationRelay]:
    made = NotificationRelay(Systemd(listener.getsockname(), 8.0))
    yield made
    made._here.close()
    made._there.close()


def say(relay: NotificationRelay, speak: Callable[[NotificationSender], None]) -> None:
    """Have a supervisor speak, which is a fork of this process as in the keeper."""
    supervisor = os.fork()
    if supervisor == 0:
        speak(relay.supervisors_end())
        os._exit(0)
    wait_until(lambda: os.waitpid(supervisor, os.WNOHANG)[0] == supervisor)


def heard(listener: socket.socket) -> list[bytes]:
    said: list[bytes] = []
    while True:
        try:
            said.append(listener.recv(4096))
        except BlockingIOError:
            return said


def test_what_is_allowed_is_said_in_its_order_and_nothing_else(
    relay: NotificationRelay, listener: socket.socket
) -> None:
    def speak(sender: NotificationSender) -> None:
        for message in (
            b"READY=1\nSTATUS=x",
            b"MAINPID=1",
            b"STATUS=" + b"x" * 9000,
            b"MAINPID=1\nSTOPPING=1",
        ):
            sender.send(message)

    say(relay, speak)
    assert not relay.pass_on()
    assert heard(listener) == [b"READY=1\nSTATUS=x", b"STOPPING=1"]


def test_what_a_full_queue_has_not_taken_is_said_later_and_ticks_push_nothing_out(
    relay: NotificationRelay, listener: socket.socket
) -> None:
    filler = Systemd(listener.getsockname(), None)
    while filler.send(b"STATUS=filler"):
        pass

    def speak(sender: NotificationSender) -> None:
        sender.send(b"READY=1")
        for _ in range(60):
            sender.send(b"WATCHDOG=1")

    say(relay, speak)
    assert relay.pass_on(), "it waits for a queue with room, and returns at once"
    assert set(heard(listener)) == {b"STATUS=filler"}
    assert not relay.pass_on()
    assert heard(listener) == [b"READY=1", b"WATCHDOG=1"]


def test_a_keeper_that_reads_nothing_holds_no_supervisor_up(relay: NotificationRelay) -> None:
    sender = NotificationSender(relay._there, None)
    for _ in range(100_000):
        sender.send(b"WATCHDOG=1")


def test_no_program_that_is_started_gets_either_end(relay: NotificationRelay) -> None:
    assert not relay._here.get_inheritable()
    assert not relay._there.get_inheritable()
