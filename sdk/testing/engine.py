"""The embedded engine for tests with and without their own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from sdk.block import FunctionBlock
from sdk.context import WorkflowContext
from sdk.devengine import DevEngine, EngineOptions
from sdk.testing.contexts import only_entity
from sdk.testing.locations import block_id_of
from sdk.testing.loop_thread import LoopThread
from sdk.testing.wire import context_of, parameters_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from sdk.devengine import JobRecord

T = TypeVar("T")

_RESULT_SECONDS: Final = 30.0


class EngineThread:
    """A `DevEngine` on a loop in a separate thread: real HTTP on the loopback, gone when the context ends.

    Its methods wait, so any test can call them. In an async test, `result_of` leaves the loop free.
    """

    def __init__(self, options: EngineOptions | None = None) -> None:
        self._engine = DevEngine(options or EngineOptions())
        self._stack = contextlib.ExitStack()
        self._thread = LoopThread("neops-engine")

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._thread)
            self._thread.call(self._engine.start())
            stack.callback(lambda: self._thread.call(self._engine.stop()))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """The base URL, for a worker's `--engine-url`."""
        return self._engine.url

    @property
    def token_file(self) -> Path | None:
        """The file with the engine's token, for a worker's `--engine-token-file`: every request needs it."""
        return self._engine.token_file

    def call(self, function: Callable[[DevEngine], T]) -> T:
        """Call `function` with the `DevEngine`, on the engine's thread, and return its result.

        For everything without a method here: `engine.call(lambda engine: engine.workers())`.
        """

        async def there() -> T:
            return function(self._engine)

        return self._thread.call(there())

    def submit(
        self,
        block: type[FunctionBlock[Any, Any]] | str,
        parameters: BaseModel | Mapping[str, Any] | None = None,
        context: WorkflowContext | Mapping[str, Any] | None = None,
        **options: Any,
    ) -> str:
        """Create a job and return its id.

        `block` is a class or a whole id, `context` a `WorkflowContext` or its JSON. `options` are those of
        `DevEngine.submit` (`run_on`, `entity_id`, `type`, `step_label`). With the JSON of a context, a class runs as
        it is registered, on the only entity of that kind. Raises `SubmissionError` or `RequestError`.
        """
        block_id = block if isinstance(block, str) else block_id_of(block)
        wire = None if context is None else context_of(context)
        if isinstance(context, WorkflowContext):
            options = {"run_on": context.run_on.value, "entity_id": context.entity_id, **options}
        elif wire is not None and not isinstance(block, str):
            options = _as_registered(block, wire, options)
        return self.call(
            lambda engine: engine.submit(
                block=block_id, parameters=parameters_of(parameters), context=wire, **options
            )
        )

    def wait_for_result(self, job_id: str, timeout_seconds: float = _RESULT_SECONDS) -> JobRecord:
        """Wait until a worker has sent the job's result, and return the job.

        Raises `TimeoutError` with the job's state, `NotFoundError` for a job that was never submitted.
        """
        return self._thread.call(self._engine.wait_for_result(job_id, timeout_seconds))

    async def result_of(self, job_id: str, timeout_seconds: float = _RESULT_SECONDS) -> JobRecord:
        """Like `wait_for_result`, but the caller's loop stays free. When cancelled, it leaves the job unchanged."""
        return await asyncio.wrap_future(
            self._thread.submit(self._engine.wait_for_result(job_id, timeout_seconds))
        )

    def job(self, job_id: str) -> JobRecord:
        """Return the record of a job. Raises `NotFoundError`."""
        return self.call(lambda engine: engine.job(job_id))

    def jobs(self) -> list[JobRecord]:
        """Return all jobs in the order in which they were submitted."""
        return self.call(lambda engine: engine.jobs())


def _as_registered(
    block: type[FunctionBlock[Any, Any]], wire: dict[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `options`. If they do not say on what the job runs, add it as `block_runner` does."""
    assert block.registration is not None
    run_on = options.get("run_on") or str(block.registration.run_on)
    entity_id = options.get("entity_id")
    if entity_id is None:
        entity_id = only_entity(run_on, wire)
    return {**options, "run_on": run_on, "entity_id": entity_id}
