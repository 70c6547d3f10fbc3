"""The results of jobs as they come: the worker's log says that a job has ended, the engine has its result."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from supervisor.commands.local.worker_lines import Ended
from supervisor.engine.http import EngineAccess
from supervisor.engine.submission import Submissions
from supervisor.errors import EngineError
from supervisor.process.tasks import Tasks

_ARRIVES_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.1
_REQUEST_SECONDS: Final = 10.0


class Results:
    """Fetches results and shows them, with the cause of the end. Needs a running loop; close it at the end."""

    def __init__(self, show: Callable[[dict[str, Any], str], None]) -> None:
        self._show_result = show
        self._engine: Submissions | None = None
        self._fetching = Tasks()

    def expect(self, access: EngineAccess, ended: Ended) -> None:
        """Show the result of an ended job as soon as the engine has it. Raises `StartRefusedError`."""
        if self._engine is None:
            self._engine = Submissions(replace(access, request_seconds=_REQUEST_SECONDS))
        self._fetching.start(self._show(self._engine, ended), f"search for the result of job {ended.job}")

    async def _show(self, engine: Submissions, ended: Ended) -> None:
        try:
            async with asyncio.timeout(_ARRIVES_SECONDS):
                job = await self._arrived(engine, ended.job)
        except (TimeoutError, EngineError):
            # It was delivered late or not at all; the worker's log says more than this could.
            return
        self._show_result(job, ended.cause)

    @staticmethod
    async def _arrived(engine: Submissions, job_id: str) -> dict[str, Any]:
        while (job := await engine.job(job_id)).get("status") != "pushed":  # noqa: ASYNC110  # another process's
            await asyncio.sleep(_LOOK_SECONDS)
        return job

    async def close(self) -> None:
        """Stop waiting for missing results."""
        await self._fetching.close()
        if self._engine is not None:
            await self._engine.close()
