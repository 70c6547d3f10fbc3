"""An engine that has a name: what becomes of requests, and of the rest of the worker, when name servers are silent."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from supervisor.engine.http import EngineAccess, EngineHttp
from supervisor.errors import EngineError
from supervisor.process.loop import Loop
from supervisor.process.threads import started_pool, unended_threads
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.usefixtures("way")

URL = "http://engine.invalid"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"

Work = Callable[[], Coroutine[Any, Any, None]]


class SilentResolver:
    """Stands for `socket.getaddrinfo`, which waits for name servers that do not answer until `ends` is set."""

    def __init__(self) -> None:
        self.asked = 0
        self.ends = threading.Event()

    def __call__(self, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        self.ends.wait(PATIENCE_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentResolver]:
    resolver = SilentResolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    yield resolver
    resolver.ends.set()


def on_a_worker_s_loop(work: Work) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(work())


def test_name_servers_that_do_not_answer_take_no_thread_that_other_work_needs(
    resolver: SilentResolver,
) -> None:
    async def work() -> None:
        asyncio.get_running_loop().set_default_executor(started_pool(1, "asyncio"))
        http = EngineHttp(EngineAccess(URL))
        asking = [
            asyncio.ensure_future(http.post("/a", "a request", fresh=number % 2 == 1)) for number in range(20)
        ]
        await until(lambda: resolver.asked, "the name is being looked up")
        threads = asyncio.ensure_future(asyncio.to_thread(threading.get_ident))
        await asyncio.wait((threads,), timeout=PATIENCE_SECONDS / 10)
        done_meanwhile = threads.done()
        resolver.ends.set()
        ended = await asyncio.gather(*asking, return_exceptions=True)
        await http.close()
        assert done_meanwhile
        assert resolver.asked == 1
        assert [type(error) for error in ended] == [EngineError] * 20
        assert "can't connect to engine.invalid:80: " in str(ended[0])

    on_a_worker_s_loop(work)


def test_the_end_waits_for_no_name_server(resolver: SilentResolver) -> None:
    before = set(unended_threads())

    async def work() -> None:
        http = EngineHttp(EngineAccess(URL))
        with pytest.raises(EngineError, match=r"none within 0\.05 s"):
            await http.post("/a", "a request", seconds=0.05)
        await until(lambda: resolver.asked, "the name is being looked up")
        await http.close()
        left = set(unended_threads()) - before
        if left:
            resolver.ends.set()
        assert not left

    on_a_worker_s_loop(work)
    assert not resolver.ends.is_set()


def test_each_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GOOD)
        writer.close()

    async def work() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        # The port is this server's at one of the two.
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.9", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        http = EngineHttp(EngineAccess(f"{URL}:{port}"))
        assert (await http.get("/a", "a request")).body == b"[]"
        await http.close()
        server.close()
        await server.wait_closed()

    on_a_worker_s_loop(work)


def test_an_address_in_numbers_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise AssertionError(f"{thread.name} was started")

    async def work() -> None:
        http = EngineHttp(EngineAccess("http://127.0.0.1:9"))
        monkeypatch.setattr(threading.Thread, "start", start)
        with pytest.raises(EngineError, match=r"can't connect to 127\.0\.0\.1:9: Connection refused"):
            await http.get("/a", "a request")
        await http.close()

    on_a_worker_s_loop(work)
