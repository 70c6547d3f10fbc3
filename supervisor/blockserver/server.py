"""The block server's loop: requests in, one job at a time, answers out, and nothing left at the end."""

import asyncio
import contextlib
import json
import logging
import os
from typing import Any, Final

from pydantic import ValidationError

from jobrunner.protocol import linux
from supervisor.blockserver.answer import answer_of
from supervisor.blockserver.choosing import choose
from supervisor.blockserver.pool import LauncherPool, Sources, python_path
from supervisor.blockserver.requests import REQUEST, RunRequest
from supervisor.blockserver.single import SingleRun, limits_of, next_job_id
from supervisor.errors import SupervisorError
from supervisor.jobs import Job
from supervisor.settings import RunSettings

_log = logging.getLogger(__name__)

LINE_CAP_BYTES: Final = 128 * 2**20


class BlockServer:
    """Answers the requests of one caller. Ends when ``requests`` does, or when the caller's process is dead."""

    def __init__(self, requests: asyncio.StreamReader, answers: int) -> None:
        self._requests = requests
        self._answers = answers
        self._pool = LauncherPool()
        self._one_at_a_time = asyncio.Lock()
        self._runs: dict[int, SingleRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve until the end of the requests, then end what runs."""
        linux.become_subreaper()
        try:
            while line := await self._requests.readline():
                await self._take(line)
        finally:
            self._one_at_a_time_is_over()
            await self._pool.close()
