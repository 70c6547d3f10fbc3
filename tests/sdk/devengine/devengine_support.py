"""What the tests of the embedded engine share: an engine, a small HTTP worker, a block."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from sdk.devengine import DevEngine, EngineOptions
from tests.tokens import bearer

ECHO: dict[str, Any] = {
    "name": "echo",
    "package": "lab",
    "majorVersion": 1,
    "minorVersion": 0,
    "patchVersion": 0,
    "description": "Return the text",
    "runOn": "global",
    "fbType": "execute",
    "parameterJsonSchema": {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
    },
    "resultDataJsonSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
}


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@asynccontextmanager
async def running_engine(
    clock: Callable[[], float] | None = None, **options: Any
) -> AsyncIterator[DevEngine]:
    given = EngineOptions(**options)
    async with DevEngine(given) if clock is None else DevEngine(given, clock=clock) as engine:
        yield engine


class HttpWorker:
    """A worker as seen on the wire: raw requests, status and parsed body as they come."""

    def __init__(self, url: str, token_file: Path | None = None) -> None:
        self.url = url
        self._headers = bearer(token_file) if token_file else {}
        self.uuid = ""

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(
            self.url, headers=self._headers, timeout=aiohttp.ClientTimeout(total=10)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> tuple[int, Any]:
        if body is not None:
            kwargs["json"] = body
        async with self.session.request(method, path, **kwargs) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def register(self, *blocks: dict[str, Any]) -> str:
        status, worker = await self.call("POST", "/workers/register", {"version": "1.0", "name": "raw"})
        assert status == 201, worker
        self.uuid = worker["uuid"]
        for block in blocks:
            status, answer = await self.register_block({**block, "workerId": self.uuid})
            assert status == 201, answer
        return self.uuid

    async def register_block(self, block: dict[str, Any]) -> tuple[int, Any]:
        return await self.call("POST", "/function-blocks/register", block)

    async def ping(self) -> int:
        status, _ = await self.call("POST", f"/workers/{self.uuid}/ping")
        return status

    async def poll(self, *blocks: dict[str, Any], limit: int | None = None) -> tuple[int, Any]:
        body: dict[str, Any] = {"workerId": self.uuid, "functionBlockIds": list(blocks or (ECHO,))}
        return await self.call("POST", "/blackboard/job", body if limit is None else {**body, "limit": limit})

    async def push(self, job_id: str, *, success: bool = True, **result: Any) -> tuple[int, Any]:
        body = {
            "jobExecutionId": job_id,
            "status": "success" if success else "failed",
            "result": {"success": success, **result},
        }
        return await self.call("POST", "/blackboard/job/result", body)
