"""A proxy between worker and engine that changes what passes: the embedded engine could not send or take it itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from tests.programs.redteam.scene import Scene

Change = Callable[[str, bytes], bytes]
"""Takes the path of a request and its body, or that of its answer, and returns what is passed on."""

_CAP_BYTES: Final = 512 * 2**20


def unchanged(path: str, body: bytes) -> bytes:
    """Return the body as it is."""
    return body


@asynccontextmanager
async def between(
    scene: Scene, *, request: Change = unchanged, answer: Change = unchanged
) -> AsyncIterator[str]:
    """Run the proxy, and give its address."""

    async def passed(asked: web.Request) -> web.StreamResponse:
        body = request(asked.path, await asked.read())
        headers = {name: asked.headers[name] for name in ("Authorization",) if name in asked.headers}
        headers["Content-Type"] = "application/json"
        url = scene.engine_url + asked.path_qs
        async with scene.session.request(asked.method, url, data=body or None, headers=headers) as answered:
            content = answer(asked.path, await answered.read())
            return web.Response(
                status=answered.status, body=content, content_type=answered.content_type or "application/json"
            )

    app = web.Application(client_max_size=_CAP_BYTES)
    app.router.add_route("*", "/{path:.*}", passed)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
