"""Results on their way to the engine: kept until it has them, sent unchanged at every try."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable
from typing import Final, Protocol

from supervisor.backoff import Backoff
from supervisor.errors import EngineError
from supervisor.journal import Journal, StoredResult

_log = logging.getLogger(__name__)

AT_ONCE: Final = 4
"""How many results are sent at a time."""

LONGEST_PAUSE_SECONDS: Final = 5.0
"""So that results arrive within seconds of the engine's return, however long it was away."""


class ResultSink(Protocol):
    """The part of the engine that takes results."""

    async def push_result(self, text: bytes) -> bool:
        """Deliver one result. Raises `EngineError`; returns whether it was the first for its job."""
        ...


class Delivery:
    """Sends results, each with its own retries, so that one that the engine chokes on holds up no other."""

    def __init__(self, engine: ResultSink, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal
        self._sending = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._failing = False

    @property
    def waiting(self) -> int:
        """How many results the engine does not have yet."""
        return len(self._tasks)

    @property
    def job_ids(self) -> set[str]:
        """The jobs whose results the engine does not have yet."""
        return set(self._tasks.values())

    def submit(self, result: StoredResult, *, journalled: bool = True) -> None:
        """Send ``result`` until the engine has it or refuses it for good. Returns at once."""
        task = asyncio.get_running_loop().create_task(self._deliver(result, journalled))
        self._tasks[task] = result.job_id
        task.add_done_callback(self._tasks.pop)

    async def wait_until_delivered(self, timeout_seconds: float) -> bool:
        """Wait for every result to be delivered. Returns whether all were; the rest stays in the journal."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_seconds)
        return not self._tasks

    async def close(self) -> None:
        """Stop sending. What is not delivered stays in the journal."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, result: StoredResult, journalled: bool) -> None:
        backoff = Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
        while True:
            try:
                async with self._sending:
                    first = await self._engine.push_result(result.text)
            except EngineError as error:
                if not error.retryable:
                    await self._refused(result, error, journalled)
                    return
                self._tell_failure(error)
                await asyncio.sleep(backoff.next_pause(error.retry_after_seconds))
            else:
                break
        self._tell_recovery()
        if not first:
            _log.warning("The engine had a result for job %s already, and kept that one.", result.job_id)
        if journalled:
            await self._keep_journal(self._journal.forget(result.number))

    async def _refused(self, result: StoredResult, error: EngineError, journalled: bool) -> None:
        _log.error(
            "The engine refuses the result of job %s for good: %s It is kept in the journal.",
            result.job_id,
            error,
        )
        if journalled:
            await self._keep_journal(self._journal.bury(result.number, str(error)))

    async def _keep_journal(self, change: Awaitable[None]) -> None:
        try:
            await change
        except sqlite3.Error:
            _log.exception("The journal did not take a change; it is repeated after the next start.")

    def _tell_failure(self, error: EngineError) -> None:
        if not self._failing:
            self._failing = True
            _log.warning("Results wait for the engine: %s", error)

    def _tell_recovery(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("The engine takes results again.")
