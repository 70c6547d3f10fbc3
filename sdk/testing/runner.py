"""``BlockRunner``: runs a block in a process of its own, under the limits of production."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self, TypedDict, Unpack

from sdk.block import FunctionBlock
from sdk.context import WorkflowContext
from sdk.models import FunctionBlockParams
from sdk.testing.errors import BlockNotFoundError, HarnessError
from sdk.testing.locating import Source, block_id_of, module_of, named_sources
from sdk.testing.outcome import BlockOutcome
from sdk.testing.server import ServerProcess
from sdk.testing.wire import context_of, parameters_of

Block = type[FunctionBlock[Any, Any]] | str
Params = FunctionBlockParams | Mapping[str, Any] | None
Context = WorkflowContext | Mapping[str, Any] | None

_LONGEST_SECONDS: Final = 600.0  # the worker's own limit for a job, and for its grace below
_GRACE_SECONDS: Final = 10.0
_START_SECONDS: Final = 300.0

_NOT_RUN: Final = frozenset({"start_failed", "worker_stopping"})


class RunOptions(TypedDict, total=False):
    """How a block is run. What is left out is as in production.

    * ``source``: where a block that is named by its id is: directories, ``.py`` files, module names. Default: the
      blocks of installed packages.
    * ``job_type``: ``execute``, ``acquire`` or ``rollback``.
    * ``run_on``, ``entity_id``: what the job runs on. Default: as the context says, else as the block is registered,
      and the only entity of that kind.
    * ``max_seconds``, ``grace_seconds``: the time limit, and the time to clean up after it. Default: 600 and 10. A
      lower ``max_seconds`` of the block's registration counts.
    * ``max_memory_mb``, ``max_result_mb``: limits in MB. Default: none, and 8.
    * ``log_level``: the least severe level that is recorded. Default: ``info``.
    """

    source: Source | Iterable[Source] | None
    job_type: Literal["execute", "acquire", "rollback"]
    run_on: str | None
    entity_id: int | float | None
    max_seconds: float | None
    grace_seconds: float | None
    max_memory_mb: int | None
    max_result_mb: int | None
    log_level: Literal["debug", "info", "warning", "error"] | None


class BlockRunner:
    """Runs blocks as the worker does: each in a fresh child process, to a verdict, with nothing left after it.

    The block has to be at the top level of a module, since the child imports it anew; nothing that a test patches in
    its own process is seen there. In a test, take the fixture ``block_runner``. Elsewhere use it as a context
    manager; leaving it ends its processes.
    """

    def __init__(self, server: ServerProcess | None = None) -> None:
        self._server = server or ServerProcess()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes of the runner."""
        self._server.close()

    def run(
        self, block: Block, params: Params = None, context: Context = None, **options: Unpack[RunOptions]
    ) -> BlockOutcome:
        """Run ``block``, a class or an id, and return what came of it, whatever it did.

        ``params`` is an instance of its parameter class or a dict as a workflow would hold it, ``context`` a
        ``WorkflowContext`` or the JSON of one. Both are copied. Blocks until the run is over: in an async test, use
        ``run_async``, above all when the test's own loop serves what the block talks to.

        Raises ``BlockNotFoundError`` when the block can't be imported in the child, ``HarnessError`` when it could
        not be run for another reason, ``EncodingError`` for parameters that are no JSON.
        """
        request = _request(block, params, context, options)
        return _outcome(self._server.ask(self._server.ticket(), request, _patience_seconds(options)))

    async def run_async(
        self, block: Block, params: Params = None, context: Context = None, **options: Unpack[RunOptions]
    ) -> BlockOutcome:
        """Do as ``run``, with the event loop free. Runs of one runner come one after another.

        When cancelled, the job is ended, with all that belongs to it, and its outcome dropped.
        """
        request = _request(block, params, context, options)
        ticket = self._server.ticket()
        try:
            answer = await asyncio.to_thread(self._server.ask, ticket, request, _patience_seconds(options))
        except asyncio.CancelledError:
            self._server.give_up(ticket)
            raise
        return _outcome(answer)


def _request(block: Block, params: Params, context: Context, options: RunOptions) -> dict[str, Any]:
    run_on, entity_id = options.get("run_on"), options.get("entity_id")
    if isinstance(context, WorkflowContext):
        run_on = run_on or context.run_on.value
        entity_id = context.entity_id if entity_id is None else entity_id
    block_id = block if isinstance(block, str) else block_id_of(block)
    source = options.get("source")
    return {
        # A class is found by its own module, whatever else there is.
        "module": module_of(block) if source is None and not isinstance(block, str) else None,
        "source": named_sources(source),
        "python_path": [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)],
        "block": block_id,
        "type": options.get("job_type", "execute"),
        "run_on": run_on,
        "entity_id": entity_id,
        "parameters": parameters_of(params),
        "context": context_of(context),
        **{name: options.get(name) for name in _LIMITS},
    }


_LIMITS: Final = ("max_seconds", "grace_seconds", "max_memory_mb", "max_result_mb", "log_level")


def _patience_seconds(options: RunOptions) -> float:
    """Return how long an answer may take: the server has limits of its own, this is for a server that has none."""
    grace = options.get("grace_seconds")
    return (
        _START_SECONDS
        + (options.get("max_seconds") or _LONGEST_SECONDS)
        + (_GRACE_SECONDS if grace is None else grace)
    )


def _outcome(answer: dict[str, Any]) -> BlockOutcome:
    error = answer.get("error")
    if error is not None:
        message = f"{error['message']}\n{error['evidence']}".rstrip()
        if error["kind"] == "no_such_block":
            raise BlockNotFoundError(message)
        raise HarnessError(message, kind=error["kind"])
    outcome = BlockOutcome.from_answer(answer)
    if outcome.cause in _NOT_RUN:
        raise HarnessError(outcome.message, kind=outcome.cause)
    return outcome
