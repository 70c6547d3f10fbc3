"""Health is served by a thread of its own: whoever asks, however many, and whatever the worker's loop does."""

import asyncio
import contextlib
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from health_support import Facts, ask, bearer, served

from supervisor.log.events.worker import TaskFailed
from supervisor.worker.health.snapshot import BLOCKED_SECONDS, LOOK_SECONDS, Snapshot
from supervisor.worker.health.web import AGAIN_SECONDS
from tests.lingering import NOT_HELD_UP_SECONDS, lingering_connection
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until


async def test_live_says_503_while_the_worker_s_loop_is_blocked_and_not_only_afterwards() -> None:
    facts = Facts()
    async with served(facts) as listener:
        assert (await asyncio.to_thread(ask, listener, "/live"))[0] == 200
        facts.snapshot = Snapshot(time.monotonic() - BLOCKED_SECONDS - LOOK_SECONDS - 1, ())
        # From here on this loop runs no more, until both answers are there.
        answers = [ask(listener, path, bearer()) for path in ("/live", "/ready")]
    assert [(status, body["why_not"][0]["cause"]) for status, body in answers] == [(503, "loop_blocked")] * 2


async def test_a_worker_that_goes_on_after_a_standstill_is_not_said_to_be_blocked() -> None:
    """The thread that answers may run before the loop has looked: a restart would end all jobs for nothing."""
    facts = Facts()
    async with served(facts) as listener:
        facts.snapshot = Snapshot(time.monotonic() - BLOCKED_SECONDS - LOOK_SECONDS - 1, ())
        asking = asyncio.ensure_future(asyncio.to_thread(ask, listener, "/live"))
        await asyncio.sleep(AGAIN_SECONDS / 5)
        facts.snapshot = Snapshot(time.monotonic(), ())
        assert (await asking)[0] == 200


async def test_a_hundred_readers_at_once_all_get_the_metrics() -> None:
    facts = Facts()
    text = b"some_metric 1\n" * 20_000
    facts.metrics = lambda: text
    together = threading.Barrier(100)

    def read(_: int) -> tuple[int, int]:
        together.wait(PATIENCE_SECONDS)
        status, body = ask(listener, "/metrics", bearer())
        return status, len(body)

    async with served(facts) as listener:
        with ThreadPoolExecutor(100) as readers:
            answers = await asyncio.to_thread(lambda: list(readers.map(read, range(100))))
    assert set(answers) == {(200, len(text))}


async def test_who_reads_or_sends_too_slowly_is_cut_off_and_holds_up_nobody() -> None:
    facts = Facts()
    facts.metrics = lambda: b"x" * 50_000_000
    async with served(facts, seconds=3.0) as listener:  # who asks at once has so long for it as well
        slow, silent = (socket.create_connection(listener.socket.getsockname()[:2]) for _ in range(2))
        slow.sendall(f"GET /metrics HTTP/1.1\r\nAuthorization: {bearer()['Authorization']}\r\n\r\n".encode())
        assert (await asyncio.to_thread(ask, listener, "/live"))[0] == 200
        assert await asyncio.to_thread(_rest_of, silent) == b""
        # It has read nothing until now: the other one came after it, and was cut off after it.
        assert len(await asyncio.to_thread(_rest_of, slow)) < 50_000_000


def _rest_of(connection: socket.socket) -> bytes:
    with connection:
        connection.settimeout(PATIENCE_SECONDS)
        got = b""
        try:
            while piece := connection.recv(2**20):
                got += piece
        except ConnectionResetError:
            pass
        return got


async def test_who_holds_every_connection_loses_the_oldest_to_who_comes_next() -> None:
    async with served(Facts(), most=3, seconds=3600.0) as listener:
        held = [socket.create_connection(listener.socket.getsockname()[:2]) for _ in range(3)]
        assert (await asyncio.to_thread(ask, listener, "/ready"))[0] == 200
        assert await asyncio.to_thread(_rest_of, held[0]) == b""
        for connection in held:
            connection.close()


async def test_a_peer_that_may_not_ask_gets_no_byte() -> None:
    async with served(Facts(), admit=lambda _: False) as listener:
        peer = socket.create_connection(listener.socket.getsockname()[:2])
        with contextlib.suppress(OSError):  # it may be cut off by then
            peer.sendall(b"GET /live HTTP/1.0\r\n\r\n")
        assert await asyncio.to_thread(_rest_of, peer) == b""


async def test_what_is_no_request_gets_an_error_and_the_next_one_an_answer() -> None:
    async with served(Facts()) as listener:
        peer = socket.create_connection(listener.socket.getsockname()[:2])
        peer.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        assert b" 400 " in (await asyncio.to_thread(_rest_of, peer)).splitlines()[0]
        assert (await asyncio.to_thread(ask, listener, "/live", None, "POST"))[0] == 405
        assert (await asyncio.to_thread(ask, listener, "/jobs"))[0] == 404
        assert (await asyncio.to_thread(ask, listener, "/live"))[0] == 200


async def test_no_connection_is_kept_for_a_further_request() -> None:
    async with served(Facts(), seconds=3600.0) as listener:
        peer = socket.create_connection(listener.socket.getsockname()[:2])
        peer.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"Connection: close" in await asyncio.to_thread(_rest_of, peer)


async def test_a_bug_in_an_answer_is_told_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    facts = Facts()
    facts.metrics = lambda: b"" + None  # type: ignore[operator]
    async with served(facts) as listener:
        assert (await asyncio.to_thread(ask, listener, "/metrics", bearer()))[0] == 500
        assert (await asyncio.to_thread(ask, listener, "/live"))[0] == 200
    assert [each["task"] for each in told(caplog, TaskFailed)] == ["health"]


async def test_its_thread_and_its_socket_end_with_it(tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    async with served(Facts(), path) as listener:
        assert (await asyncio.to_thread(ask, listener, "/live"))[0] == 200
        assert path.stat().st_mode & 0o777 == 0o600
    await until(
        lambda: not [each for each in threading.enumerate() if each.name.startswith("health")], "it is over"
    )
    assert not path.exists()


async def test_who_is_refused_again_and_again_keeps_nobody_else_from_an_answer(tmp_path: Path) -> None:
    stop = threading.Event()
    refused: set[int] = set()

    def admit(connection: socket.socket) -> bool:
        """Refuse who has bound its own end, as the floods do; that takes its time, as to read /proc does."""
        is_allowed = not connection.getpeername()
        if not is_allowed:
            time.sleep(0.001)
        return is_allowed

    def flood(number: int) -> None:
        while not stop.is_set():
            with socket.socket(socket.AF_UNIX) as peer, contextlib.suppress(OSError):
                peer.bind(f"\0{tmp_path}/{number}")
                peer.connect(str(listener.path))
                refused.add(number)

    async with served(Facts(), tmp_path / "health.sock", admit) as listener:
        with ThreadPoolExecutor(4) as floods:
            running = [floods.submit(flood, number) for number in range(4)]
            try:
                await until(lambda: len(refused) == 4)
                answer = await asyncio.to_thread(ask, listener, "/live")
            finally:
                stop.set()
        assert [flooding.exception() for flooding in running] == [None] * 4
    assert answer[0] == 200


async def test_who_is_refused_holds_up_nobody_by_what_it_has_sent(tmp_path: Path) -> None:
    """A job may connect. A connection that lingers, in a socket that is closed, would silence the health."""
    sent = threading.Event()

    def admit(connection: socket.socket) -> bool:
        """Refuse who has bound its own end, after it has sent something."""
        is_allowed = not connection.getpeername()
        assert is_allowed or sent.wait(PATIENCE_SECONDS)
        return is_allowed

    facts = Facts()
    facts.snapshot = Snapshot(time.monotonic() + 3600, ())  # this test may take its time
    async with served(facts, tmp_path / "health.sock", admit) as listener:
        with lingering_connection() as connection, socket.socket(socket.AF_UNIX) as peer:
            peer.bind(f"\0{tmp_path}/peer")
            peer.connect(str(listener.path))
            socket.send_fds(peer, [b"x"], [connection.fileno()])
            connection.close()  # the last descriptor is on its way
            sent.set()
            began = time.monotonic()
            answer = await asyncio.to_thread(ask, listener, "/live")
            assert time.monotonic() - began < NOT_HELD_UP_SECONDS
    assert answer[0] == 200
