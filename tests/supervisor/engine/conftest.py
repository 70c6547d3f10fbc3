"""Both ways to an engine that speaks plain HTTP: by our own connections, and by those of the engine's client."""

import asyncio
import time
from typing import Any

import pytest

from supervisor.engine import http

LONGEST_WAIT_SECONDS = 0.02
LONGEST_STEP_SECONDS = 0.05


@pytest.fixture(params=["plain", "client"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have each `EngineHttp` take this way, whatever its address."""
    way: str = request.param
    if way == "client":
        monkeypatch.setattr(http, "plain_address", lambda url: None)
    return way


@pytest.fixture
async def steady_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a standstill of the machine be a moment for the loop: no limit runs out before what it limits had a turn.

    Both ends of a connection have to be in the loop of the test.
    """
    loop = asyncio.get_running_loop()
    select = loop._selector.select  # type: ignore[attr-defined]
    seen = time.monotonic()
    now = loop.time()

    def steady() -> float:
        nonlocal seen, now
        before, seen = seen, time.monotonic()
        now += min(seen - before, LONGEST_STEP_SECONDS)
        return now

    def wait(timeout: float | None) -> Any:
        return select(LONGEST_WAIT_SECONDS if timeout is None else min(timeout, LONGEST_WAIT_SECONDS))

    monkeypatch.setattr(loop, "time", steady)
    monkeypatch.setattr(loop._selector, "select", wait)  # type: ignore[attr-defined]
