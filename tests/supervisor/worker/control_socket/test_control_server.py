"""The control server keeps its bounds: what a peer sends, how long it takes, how many there are."""

import asyncio
import contextlib
import json
import os
import select
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from control_host import count, echo, fail

from supervisor.log.events.control import ControlRefused
from supervisor.worker.control_socket import client as client_module
from supervisor.worker.control_socket import server as server_module
from supervisor.worker.control_socket.client import ControlClient, NotAllowedError, NoWorkerError
from supervisor.worker.control_socket.listener import Listening, listen_in
from supervisor.worker.control_socket.peers import RefusedError
from supervisor.worker.control_socket.protocol import (
    REQUEST_CAP_BYTES,
    ControlError,
    JsonObject,
    Peer,
    Request,
)
from supervisor.worker.control_socket.server import ControlServer
from tests.lingering import NOT_HELD_UP_SECONDS, lingering_connection
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until

PEER = Peer(1, 0, "user root")


class Scene:
    """A server in this process that admits everybody, and what its waiting handlers met."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.waiting = 0
        self.cancelled = asyncio.Event()
        self.listening: Listening = listen_in(directory)
        handlers = {"echo": echo, "count": count, "fail": fail, "wait": self.wait, "bug": self.bug}
        self.server = ControlServer(self.listening.listener, self.listening.secret, lambda _: PEER, handlers)
        self.server.begin()

    async def wait(self, _: Request) -> JsonObject:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        return {}

    async def bug(self, _: Request) -> JsonObject:
        raise ZeroDivisionError

    async def ask(self, command: str, **arguments: Any) -> list[JsonObject]:
        client = ControlClient(self.directory)
        return await asyncio.to_thread(lambda: list(client.stream(command, **arguments)))

    async def raw(self, data: bytes) -> bytes:
        """What comes back to who sends just this."""
        reader, writer = await asyncio.open_unix_connection(str(self.directory / "control.sock"))
        writer.write(data)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    await scene.server.close()
    scene.listening.close()


async def test_a_stream_comes_in_parts_and_ends(scene: Scene) -> None:
    assert [part["number"] for part in await scene.ask("count", to=3)] == [0, 1, 2]


async def test_a_no_is_an_error_with_its_cause(scene: Scene) -> None:
    with pytest.raises(ControlError, match="There is none") as raised:
        await scene.ask("fail")
    assert raised.value.cause == "unknown_job"


@pytest.mark.parametrize(
    ("command", "arguments", "cause"),
    [
        ("nothing", {}, "unknown_command"),
        ("echo", {}, "wrong_arguments"),
        ("echo", {"word": 5}, "wrong_arguments"),
        ("count", {"to": -1}, "wrong_arguments"),
        ("count", {"to": True}, "wrong_arguments"),
        ("bug", {}, "worker_error"),
    ],
)
async def test_what_can_t_be_answered_is_told_and_the_server_goes_on(
    scene: Scene, command: str, arguments: dict[str, object], cause: str
) -> None:
    with pytest.raises(ControlError) as raised:
        await scene.ask(command, **arguments)
    assert raised.value.cause == cause
    assert (await scene.ask("echo", word="on"))[0]["said"] == "on"


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b'{"secret": 5, "command": "echo", "arguments": {}}\n',
        b"[" * 60_000 + b"\n",
        b"\xff\xfe\n",
        b"x" * (2 * REQUEST_CAP_BYTES) + b"\n",
        b"x" * (10 * REQUEST_CAP_BYTES),
    ],
)
async def test_what_is_no_request_gets_no_byte(scene: Scene, data: bytes) -> None:
    assert await scene.raw(data) == b""


async def test_who_only_looks_whether_a_worker_listens_is_not_told_as_refused(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    assert await asyncio.to_thread(client_module.socket_state, scene.directory) == "listens"
    assert await scene.ask("echo", word="a look is accepted before it")
    await until(lambda: not len(scene.server._tasks), "all conversations are over")
    assert told(caplog, ControlRefused) == []


@pytest.mark.parametrize("data", [b"{", b"\n", b'{"secret": "wrong", "command": "echo", "arguments": {}}\n'])
async def test_who_begins_to_ask_and_does_not_know_the_secret_is_told_as_refused(
    scene: Scene, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(scene.directory / "control.sock"))
        connection.sendall(data)
    await until(lambda: told(caplog, ControlRefused), "it is told")


async def test_who_sends_no_request_in_time_is_let_go(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "REQUEST_SECONDS", 0.05)
    assert await scene.raw(b'{"secret": "') == b""


async def test_a_handler_ends_when_who_has_asked_leaves(scene: Scene) -> None:
    _, writer = await _asking(scene, "wait")
    while not scene.waiting:
        await asyncio.sleep(0)
    writer.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await scene.cancelled.wait()


async def test_who_does_not_read_is_let_go_and_holds_up_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "SEND_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.connect(str(scene.directory / "control.sock"))
        deaf.sendall(_request(scene, "count", to=100, filling=100_000))
        assert (await scene.ask("echo", word="meanwhile"))[0]["said"] == "meanwhile"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(scene.server._tasks):
                await asyncio.sleep(0.01)


async def test_there_are_so_many_conversations_and_no_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MOST_CONNECTIONS", 2)
    writers = [(await _asking(scene, "wait"))[1] for _ in range(2)]
    while scene.waiting < 2:
        await asyncio.sleep(0)
    with pytest.raises(ControlError) as raised:
        await scene.ask("echo", word="too many")
    assert raised.value.cause == "busy"
    for writer in writers:
        writer.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(scene.server._tasks):
            await asyncio.sleep(0.01)
    assert await scene.ask("echo", word="again")


async def test_who_is_let_in_by_a_group_can_not_take_the_conversations_kept_for_root(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(server_module, "KEPT_FOR_OWNER", 1)
    monkeypatch.setattr(scene.server, "_admit", lambda _: Peer(1, os.geteuid() + 4711, "user anne"))
    _, writer = await _asking(scene, "wait")
    while not scene.waiting:
        await asyncio.sleep(0)
    with pytest.raises(ControlError) as raised:
        await scene.ask("echo", word="too many")
    assert raised.value.cause == "busy"
    monkeypatch.setattr(scene.server, "_admit", lambda _: PEER)
    assert (await scene.ask("echo", word="root"))[0]["said"] == "root"
    writer.close()


async def test_a_worker_that_does_not_even_admit_a_request_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CONNECT_SECONDS", 1.0)
    stopped = listen_in(tmp_path)  # connections are made, and nobody looks at them
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(NoWorkerError, match="does not answer"):
                await asyncio.to_thread(ControlClient(tmp_path).ask, "cancel", timeout_seconds=None)
    finally:
        stopped.close()


async def test_who_waits_for_a_worker_that_hangs_and_is_killed_is_told_that_it_has_ended(
    tmp_path: Path,
) -> None:
    hanging = listen_in(tmp_path)  # connections are made, and nobody looks at them
    try:
        asking = asyncio.create_task(asyncio.to_thread(ControlClient(tmp_path).ask, "status"))
        await until(lambda: select.select([hanging.listener], [], [], 0)[0], "somebody waits")
        hanging.listener.close()  # as the kernel does for one that is killed: its files stay
        with pytest.raises(NoWorkerError, match="has ended before it answered"):
            await asking
    finally:
        hanging.close()


async def test_who_is_refused_by_a_worker_that_goes_on_is_told_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: socket.socket) -> Peer:
        raise RefusedError(1, 0, "it descends from the worker")

    monkeypatch.setattr(scene.server, "_admit", refuse)
    with pytest.raises(NotAllowedError, match="has refused to answer"):
        await scene.ask("echo", word="hello")


async def test_who_is_refused_holds_up_nobody_by_what_it_has_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job may connect. A connection that lingers, in a socket that is closed, would stop the worker's heartbeat."""

    def refuse(_: socket.socket) -> Peer:
        raise RefusedError(1, 0, "it was started by a job")

    monkeypatch.setattr(scene.server, "_admit", refuse)
    began = time.monotonic()
    with lingering_connection() as connection, socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(scene.directory / "control.sock"))
        socket.send_fds(peer, [b"x"], [connection.fileno()])
        connection.close()  # the last descriptor is on its way
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.to_thread(peer.recv, 1) == b""
        assert time.monotonic() - began < NOT_HELD_UP_SECONDS


async def test_who_waits_is_told_that_the_worker_has_ended_and_not_that_it_is_refused(scene: Scene) -> None:
    waiting = asyncio.create_task(scene.ask("wait"))
    while not scene.waiting:
        await asyncio.sleep(0.01)
    await scene.server.close()
    with pytest.raises(NoWorkerError, match="has ended before it answered"):
        await waiting


async def _asking(scene: Scene, command: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(scene.directory / "control.sock"))
    writer.write(_request(scene, command))
    return reader, writer


def _request(scene: Scene, command: str, **arguments: object) -> bytes:
    secret = (scene.directory / "control.secret").read_text()
    return json.dumps({"secret": secret, "command": command, "arguments": arguments}).encode() + b"\n"
