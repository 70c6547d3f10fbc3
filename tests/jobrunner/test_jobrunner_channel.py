"""The child's end of the channel: whole frames, from the child alone, and never into a file of the block."""

import asyncio
import errno
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from jobrunner import channel as channel_module
from jobrunner import masking as masking_module
from jobrunner import ticker as ticker_module
from jobrunner.channel import Channel
from jobrunner.masking import telling
from jobrunner.protocol.caps import SECRET_CAP_CHARS, SECRETS_CAP
from jobrunner.protocol.messages import Cancel, Log, Secret, Tick
from jobrunner.ticker import Ticker

LOG = Log(level=20, logger="block", text="x" * 4000, created=0.0)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel and the supervisor's end of it."""
    theirs, ours = socket.socketpair()
    channel = Channel(ours.detach())
    theirs.settimeout(50)
    yield channel, theirs
    theirs.close()
    if channel.fileno() >= 0:
        channel.close()


def received(end: socket.socket) -> bytes:
    """What is there now."""
    return end.recv(2**20) if select.select([end], [], [], 0)[0] else b""


def fill(channel: Channel) -> int:
    """Send until there is no room; return how much it was."""
    sent = 0
    while channel.send_if_room(LOG):
        sent += len(LOG.pack())
    return sent


def test_what_is_sent_arrives_and_what_was_asked_is_read(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    channel.send(LOG, b"payload")
    assert received(theirs) == LOG.pack(b"payload")
    assert channel.send_if_room(Tick())
    assert received(theirs) == Tick().pack()
    theirs.sendall(Cancel(reason="time").pack())
    assert b"time" in channel.receive(100).header


def test_where_there_is_no_room_nothing_is_sent_and_no_half_of_it(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, theirs = ends
    sent = fill(channel)
    data = b""
    while portion := received(theirs):
        data += portion
    assert len(data) == sent
    assert channel.send_if_room(Tick())
    assert received(theirs) == Tick().pack()


def test_a_frame_that_must_go_waits_for_room(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    sent = fill(channel)
    thread = threading.Thread(target=channel.send, args=(LOG,))
    thread.start()
    data = b""
    while len(data) < sent + len(LOG.pack()):
        data += theirs.recv(2**16)
    thread.join(50)
    assert data.endswith(LOG.pack())


def test_while_another_thread_sends_a_tick_does_not_wait(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    channel._lock.acquire()
    assert channel.send_if_room(Tick()) is False
    channel._lock.release()
    assert channel.send_if_room(Tick())
    assert received(theirs) == Tick().pack()


def test_a_fork_of_the_block_stays_silent(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    channel._owner_pid += 1
    channel.send(LOG)
    assert channel.send_if_room(Tick()) is False
    assert channel.wait_until_read(50) == 0
    assert received(theirs) == b""
    channel._owner_pid -= 1
    assert channel.is_mine


def test_a_file_that_has_the_channel_s_number_by_now_gets_nothing(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, _ = ends
    one, other = socket.socketpair()
    os.dup2(one.fileno(), channel.fileno())
    with one, other:
        with pytest.raises(OSError, match="the channel was closed") as caught:
            channel.send_if_room(Tick())
        assert caught.value.errno == errno.EBADF
        assert received(other) == b""
        # And the next may send.
        assert channel._lock.acquire(blocking=False)
        channel._lock.release()


class Interrupting:
    """A socket in whose calls a signal's handler runs, the first time."""

    def __init__(self, real: socket.socket, handler: Callable[[], object], *, after: int = 5) -> None:
        self._real = real
        self._after = after
        self._handlers = [handler]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def sendall(self, data: bytes) -> None:
        self._real.sendall(data[: self._after])
        self._interrupt()
        self._real.sendall(data[self._after :])

    def send(self, data: bytes, flags: int) -> int:
        self._interrupt()
        return self._real.send(data, flags)

    def _interrupt(self) -> None:
        while self._handlers:
            self._handlers.pop()()


@pytest.mark.parametrize("method", ["send", "send_if_room"])
def test_what_a_signal_s_handler_sends_while_its_thread_sends_follows_whole(
    ends: tuple[Channel, socket.socket], method: str
) -> None:
    channel, theirs = ends

    def handler() -> None:
        channel.send(LOG, b"one")
        assert not channel.send_if_room(Tick())  # the loop will, at its next turn
        channel.send(LOG, b"two")

    channel._socket = Interrupting(channel._socket, handler)  # type: ignore[assignment]
    getattr(channel, method)(Tick())
    assert received(theirs) == Tick().pack() + LOG.pack(b"one") + LOG.pack(b"two")
    channel.send(Tick())  # and the next is sent at once
    assert received(theirs) == Tick().pack()


def test_what_a_signal_s_handler_has_sent_is_sent_also_where_it_raises(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, theirs = ends

    def handler() -> None:
        channel.send(LOG)
        raise TimeoutError

    channel._socket = Interrupting(channel._socket, handler, after=1000)  # type: ignore[assignment]
    with pytest.raises(TimeoutError):
        channel.send(Tick())
    assert received(theirs) == Tick().pack() + LOG.pack()


def test_a_supervisor_that_is_gone_is_an_error(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    theirs.close()
    with pytest.raises(OSError):
        channel.send_if_room(Tick())
    with pytest.raises(OSError):
        channel.send(LOG)
    with pytest.raises(EOFError):
        channel.receive(10)


def test_the_wait_ends_when_all_is_read_or_the_time_is_over(
    ends: tuple[Channel, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, theirs = ends
    clock = SimpleNamespace(now=0.0, sleeps=0)

    def sleep(seconds: float) -> None:
        clock.now += 0.25
        clock.sleeps += 1
        if clock.sleeps == 3:
            received(theirs)

    monkeypatch.setattr(channel_module, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    assert channel.wait_until_read(2.0) == 0
    channel.send(Tick())
    assert channel.wait_until_read(2.0) == 0.75
    channel.send(Tick())
    assert channel.wait_until_read(0.5) == 0.5
    assert channel.wait_until_read(0.0) == 0


class Heard:
    """A channel that keeps what is sent; each wait takes a second of those that it may."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.waits: list[float] = []
        self.is_mine = True
        self.error: OSError | None = None

    def send(self, message: Any) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(message)

    def send_if_room(self, message: Any) -> bool:
        self.send(message)
        return True

    def wait_until_read(self, most_seconds: float) -> float:
        self.waits.append(most_seconds)
        return min(most_seconds, 0.75)


def test_a_secret_is_told_once_in_pieces_and_waited_for_as_long_as_all_may_take() -> None:
    channel = Heard()
    tell = telling(channel)
    tell("one")
    tell("one")
    long = "y" * (SECRET_CAP_CHARS + 1)
    tell(long)
    assert channel.sent == [Secret(value="one"), Secret(value=long[:-1]), Secret(value="y")]
    assert channel.waits == [2.0, 1.25, 0.5]
    tell("after that")
    assert channel.waits[-1] == 0


def test_so_many_secrets_are_told_and_no_more_and_a_lost_supervisor_is_no_error() -> None:
    channel = Heard()
    tell = telling(channel)
    for number in range(SECRETS_CAP + 5):
        tell(f"secret-{number}")
    assert len(channel.sent) == SECRETS_CAP
    lost = Heard()
    lost.error = BrokenPipeError()
    telling(lost)("secret")
    assert lost.waits == []
    tell = telling(half := Heard())
    tell("half of a pair: \ud800")
    assert half.sent == [Secret(value="half of a pair: \\ud800")]


def test_masking_knows_the_names_of_the_order_and_masks_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    told: list[str] = []
    monkeypatch.setattr(masking_module, "use_masking", used.append)
    masking_module.mask_with(("wlan",), told.append)
    (masking,) = used
    assert masking.is_secret_name("wlan_key")
    assert masking.is_secret_name("password")
    assert not masking.is_secret_name("hostname")
    hide = masking.hiding(frozenset({"swordfish-7"}))
    assert hide is masking.hiding(frozenset({"swordfish-7"}))
    assert "swordfish" not in hide("it is swordfish-7")
    masking.tell("new")
    assert told == ["new"]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, Callable[[], None]]]:
    """What is to be called later, and after how many seconds; nothing is."""
    calls: list[tuple[float, Callable[[], None]]] = []

    class Handle:
        def __init__(self, entry: tuple[float, Callable[[], None]]) -> None:
            self._entry = entry

        def cancel(self) -> None:
            calls.remove(self._entry)

    def call_later(seconds: float, callback: Callable[[], None]) -> Handle:
        calls.append((seconds, callback))
        return Handle(calls[-1])

    monkeypatch.setattr(
        ticker_module.asyncio, "get_running_loop", lambda: SimpleNamespace(call_later=call_later)
    )
    return calls


def test_a_loop_ticks_after_each_interval_until_it_is_stopped(
    later: list[tuple[float, Callable[[], None]]],
) -> None:
    channel = Heard()
    ticking = Ticker(channel, 0.5)
    assert channel.sent == []
    ((seconds, tick),) = later
    assert seconds == 0.5
    later.clear()
    tick()
    assert channel.sent == [Tick()]
    assert len(later) == 1
    ticking.stop()
    ticking.stop()
    assert later == []


@pytest.mark.parametrize("why", ["a fork", "gone"])
def test_where_nobody_is_to_hear_it_no_tick_follows(
    later: list[tuple[float, Callable[[], None]]], why: str
) -> None:
    channel = Heard()
    channel.is_mine = why != "a fork"
    channel.error = BrokenPipeError() if why == "gone" else None
    ticking = Ticker(channel, 0.5)
    ((_, tick),) = later
    later.clear()
    tick()
    assert later == []
    ticking.stop()
    assert later == []


async def test_ticks_come_on_the_loop(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    ticking = Ticker(channel, 0.001)
    data = b""
    async with asyncio.timeout(50):
        while data.count(b"tick") < 3:
            await asyncio.sleep(0.001)
            data += received(theirs)
    ticking.stop()
