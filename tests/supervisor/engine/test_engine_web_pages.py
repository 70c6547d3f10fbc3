"""A web page that is sent with 200 is not the engine's word, also where the engine itself says next to nothing."""

from collections.abc import Awaitable, Callable

import pytest

from sdk.devengine import DevEngine, EngineOptions, Fault
from sdk.devengine.faults import FaultRoute
from supervisor.engine import EngineAccess, EngineApi
from supervisor.errors import EngineError
from tests.programs.fuzz.fakes import block_entry

PAGE = "\n<html><body>Please sign in</body></html>"

Request = Callable[[EngineApi, str], Awaitable[object]]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("route", "request_it"),
    [
        ("ping", lambda api, uuid: api.ping(uuid)),
        ("register_block", lambda api, uuid: api.register_block(block_entry("a"), uuid)),
        ("unregister", lambda api, uuid: api.unregister(uuid)),
    ],
)
async def test_a_web_page_is_no_success_of_what_the_engine_was_never_told(
    route: FaultRoute, request_it: Request
) -> None:
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        api = EngineApi(EngineAccess(engine.url))
        try:
            uuid = await api.register_worker("1", None, None)
            engine.faults.add(Fault(route, status=200, body=PAGE, content_type="text/html"))
            with pytest.raises(EngineError, match=r"Please sign in.*Check that the engine's URL") as caught:
                await request_it(api, uuid)
            assert caught.value.retryable
            await request_it(api, uuid)
        finally:
            await api.close()
