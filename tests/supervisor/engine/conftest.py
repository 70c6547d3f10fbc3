"""Both ways to an engine that speaks plain HTTP: by our own connections, and by those of the engine's client."""

import pytest

from supervisor.engine import http


@pytest.fixture(params=["plain", "client"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have each `EngineHttp` take this way, whatever its address."""
    way: str = request.param
    if way == "client":
        monkeypatch.setattr(http, "plain_address", lambda url: None)
    return way
