"""The fault proxy does what each fault says, against a real engine and a real client."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from sdk.devengine import DevEngine, EngineOptions
from tests.faults.fault import BINARY, HTML, Dice, Fault, InOrder, Kind
from tests.faults.proxy import Proxy

BLOCK = "neops_base/echo:1.0.0"
PATIENCE = aiohttp.ClientTimeout(total=30)
"""For what must end by itself. Where it does not, that is a `TimeoutError`, which is an `OSError`: expected is more."""


class Front:
    """A worker's view of the engine through the proxy, and the engine itself."""

    def __init__(self, engine: DevEngine, proxy: Proxy, session: aiohttp.ClientSession) -> None:
        self.engine, self.proxy, self.session = engine, proxy, session
        self.worker = ""

    async def post(self, path: str, body: Any = None, **options: Any) -> tuple[int, bytes]:
        async with self.session.post(self.proxy.url + path, json=body or {}, **options) as response:
            return response.status, await response.read()

    async def poll(self, **options: Any) -> tuple[int, bytes]:
        block = {"package": "neops_base", "name": "echo"}
        version = {"majorVersion": 1, "minorVersion": 0, "patchVersion": 0}
        body = {"functionBlockIds": [block | version], "workerId": self.worker, "limit": 1}
        return await self.post("/blackboard/job", body, allow_redirects=False, **options)

    def order(self, *faults: Fault) -> None:
        self.proxy.plan = InOrder(faults, "poll")

    @property
    def polls(self) -> int:
        return sum(request.route == "poll" for request in self.engine.requests)


@pytest_asyncio.fixture
async def front() -> AsyncIterator[Front]:
    """A registered worker with one job waiting for it."""
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        port = int(engine.url.rpartition(":")[2])
        async with Proxy(port, InOrder([])) as proxy, aiohttp.ClientSession(timeout=PATIENCE) as session:
            front = Front(engine, proxy, session)
            _, body = await front.post("/workers/register", {"version": "1"})
            front.worker = json.loads(body)["uuid"]
            engine.submit(block=BLOCK, parameters={"text": "x"})
            yield front


def claimed(front: Front) -> bool:
    return front.engine.jobs()[0].status == "polled"


@contextlib.contextmanager
def reset_by_peer() -> Iterator[None]:
    """Expect that the connection is reset, in the midst of the answer or before it. No time-out, and no orderly end."""
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ClientPayloadError), match="Connection reset by peer"):
        yield


async def test_without_a_fault_everything_passes_and_is_recorded(front: Front) -> None:
    status, body = await front.poll()
    assert status == 201
    assert json.loads(body)[0]["parameters"] == {"text": "x"}
    exchange = front.proxy.exchanges[-1]
    assert (exchange.route, exchange.status, exchange.engine_statuses) == ("poll", 201, (201,))
    assert exchange.answer == body
    assert exchange.answered is not None


async def test_one_connection_carries_many_requests(front: Front) -> None:
    for _ in range(3):
        assert (await front.poll())[0] == 201
    connector = front.session.connector
    assert connector is not None
    assert len(connector._acquired) == 0
    assert sum(len(each) for each in connector._conns.values()) == 1


async def test_a_delay_holds_the_request_back(front: Front) -> None:
    front.order(Fault(Kind.DELAY, seconds=0.2))
    begun = time.monotonic()
    assert (await front.poll())[0] == 201
    assert time.monotonic() - begun >= 0.2


async def test_a_reset_before_keeps_the_request_from_the_engine(front: Front) -> None:
    front.order(Fault(Kind.RESET_BEFORE))
    with reset_by_peer():
        await front.poll()
    assert front.polls == 0
    assert not claimed(front)


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        (Kind.DROP_AFTER, pytest.raises(aiohttp.ServerDisconnectedError)),
        (Kind.RESET_AFTER, reset_by_peer()),
    ],
)
async def test_a_lost_answer_was_committed(
    front: Front, kind: Kind, lost: AbstractContextManager[object]
) -> None:
    front.order(Fault(kind))
    with lost:
        await front.poll()
    assert claimed(front)
    assert front.proxy.exchanges[-1].engine_status == 201
    assert front.proxy.exchanges[-1].answered is None


async def test_a_dripping_answer_arrives_whole_and_slowly(front: Front) -> None:
    front.order(Fault(Kind.DRIP, seconds=0.3))
    begun = time.monotonic()
    _, body = await front.poll()
    assert json.loads(body)[0]["parameters"] == {"text": "x"}
    assert time.monotonic() - begun >= 0.25


async def test_a_half_open_connection_never_answers(front: Front) -> None:
    front.order(Fault(Kind.HALF_OPEN, seconds=60))
    with pytest.raises(TimeoutError):
        await front.poll(timeout=aiohttp.ClientTimeout(total=0.3))
    assert front.polls == 0


async def test_letting_go_ends_a_silence(front: Front) -> None:
    front.order(Fault(Kind.HALF_OPEN, seconds=60))
    asked = len(front.proxy.exchanges)
    asking = asyncio.create_task(front.poll())
    async with asyncio.timeout(30):
        while len(front.proxy.exchanges) == asked:
            await asyncio.sleep(0.001)
    front.proxy.let_go()
    with reset_by_peer():
        await asking
    assert front.polls == 0


@pytest.mark.parametrize("status", [500, 503, 404, 302])
async def test_a_status_is_answered_without_the_engine(front: Front, status: int) -> None:
    front.order(Fault(Kind.STATUS, status=status, headers={"Retry-After": "7"}))
    async with front.session.post(front.proxy.url + "/blackboard/job", allow_redirects=False) as response:
        assert response.status == status
        assert response.headers["Retry-After"] == "7"
    assert front.polls == 0


async def test_a_wrong_success_status_comes_with_the_true_body(front: Front) -> None:
    front.order(Fault(Kind.STATUS, status=200, reaches_engine=True))
    status, body = await front.poll()
    assert status == 200
    assert len(json.loads(body)) == 1
    assert claimed(front)


@pytest.mark.parametrize("body", [HTML, BINARY])
@pytest.mark.parametrize("reaches_engine", [True, False])
async def test_a_body_is_replaced(front: Front, body: bytes, reaches_engine: bool) -> None:
    front.order(Fault(Kind.BODY, body=body, reaches_engine=reaches_engine))
    assert await front.poll() == (201 if reaches_engine else 200, body)
    assert claimed(front) is reaches_engine


async def test_a_truncated_body_is_no_json(front: Front) -> None:
    front.order(Fault(Kind.TRUNCATED))
    status, body = await front.poll()
    assert status == 201
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_a_duplicate_reaches_the_engine_twice(front: Front) -> None:
    front.order(Fault(Kind.DUPLICATE))
    assert await front.poll() == (201, b"[]")  # the first answer, which held the job, is the lost one
    assert front.polls == 2
    assert claimed(front)


async def test_a_huge_body_still_means_the_same(front: Front) -> None:
    front.order(Fault(Kind.HUGE, size_bytes=1 << 20))
    _, body = await front.poll()
    assert len(body) > 1 << 20
    assert len(json.loads(body)) == 1


async def test_extra_fields_are_added_to_each_item(front: Front) -> None:
    front.order(Fault(Kind.EXTRA_FIELDS))
    _, body = await front.poll()
    (item,) = json.loads(body)
    assert item["unheardOf"] == {"deep": [1, None]}
    assert item["parameters"] == {"text": "x"}


async def test_an_engine_that_is_away_is_a_reset(front: Front) -> None:
    await front.engine.stop()
    with reset_by_peer():
        await front.poll()
    assert front.proxy.exchanges[-1].engine_status is None


def test_the_same_seed_rolls_the_same_faults() -> None:
    def rolled(seed: int) -> list[str]:
        rng = Dice(seed, 0.5)
        return [str(rng.next_fault(route)) for route in ("poll", "ping", "result") * 30]

    assert rolled(1) == rolled(1)
    assert rolled(1) != rolled(2)


def test_a_result_is_never_refused_for_good() -> None:
    """A 404 to a result is final by the contract: the chaos would count as lost what the engine refused."""
    rng = Dice(1, 1.0)
    assert {fault.status for _ in range(2000) if (fault := rng.next_fault("result"))}.isdisjoint({404})
