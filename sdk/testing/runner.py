"""`BlockRunner`: runs a block in a separate process, under the limits of production."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, Self, Unpack

from sdk.testing.errors import BlockNotFoundError, HarnessError
from sdk.testing.locations import looked_in
from sdk.testing.outcome import BlockOutcome
from sdk.testing.run_request import (
    Block,
    Context,
    Params,
    RunOptions,
    check_options,
    patience_seconds,
    request_of,
)
from sdk.testing.server import ServerProcess

_NOT_RUN: Final = frozenset({"start_failed", "worker_stopping"})


class BlockRunner:
    """Runs blocks as the worker does: each in a new child process, up to a verdict, and nothing is left after it.

    The block must be at the top level of a module, because the child imports it again. The child sees nothing that a
    test patches in its own process. In a test, use the fixture `block_runner`. Elsewhere use it as a context
    manager; its end stops its processes.

    With `in_process` all runs are in this process, for a debugger, unless a run says otherwise. See
    `sdk.testing.in_process` for what is not protected then.
    """

    def __init__(self, server: ServerProcess | None = None, *, in_process: bool = False) -> None:
        self._server = server or ServerProcess()
        self._in_process = in_process

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
        """Run `block`, a class or an id, and return its outcome, whatever it did.

        `params` is an instance of its parameter class, or a dict as in a workflow; `context` is a
        `WorkflowContext` or its JSON. Both are copied. This blocks until the run is over: in an async test, use
        `run_async`, above all if the test's own loop serves what the block talks to.

        Raises `BlockNotFoundError` if the child can't import the block, `HarnessError` if it could not be run for
        another reason, `EncodingError` for parameters that are not JSON, `TypeError` for an unknown option.
        """
        __tracebackhide__ = True
        check_options(options)
        if self._stays_here(options):
            from sdk.testing.in_process import run_here

            return run_here(block, params, context, options)
        request = request_of(block, params, context, options)
        return _outcome(self._server.ask(self._server.ticket(), request, patience_seconds(options)), request)

    def acquire(
        self, block: Block, params: Params = None, context: Context = None, **options: Unpack[RunOptions]
    ) -> BlockOutcome:
        """Ask the block what to acquire, and return the outcome. Like `run`, with `job_type="acquire"`."""
        __tracebackhide__ = True
        options["job_type"] = "acquire"
        return self.run(block, params, context, **options)

    def rollback(
        self, block: Block, params: Params = None, context: Context = None, **options: Unpack[RunOptions]
    ) -> BlockOutcome:
        """Ask the block to roll back, and return the outcome. Like `run`, with `job_type="rollback"`."""
        __tracebackhide__ = True
        options["job_type"] = "rollback"
        return self.run(block, params, context, **options)

    async def run_async(
        self, block: Block, params: Params = None, context: Context = None, **options: Unpack[RunOptions]
    ) -> BlockOutcome:
        """Like `run`, but the event loop stays free. Runs of one runner come one after another.

        When cancelled, the job and everything that belongs to it is ended, and its outcome dropped.
        """
        __tracebackhide__ = True
        check_options(options)
        if self._stays_here(options):
            from sdk.testing.in_process import run_on_this_loop

            return await run_on_this_loop(block, params, context, options)
        request = request_of(block, params, context, options)
        ticket = self._server.ticket()
        try:
            answer = await asyncio.to_thread(self._server.ask, ticket, request, patience_seconds(options))
        except asyncio.CancelledError:
            self._server.give_up(ticket)
            raise
        return _outcome(answer, request)

    def _stays_here(self, options: RunOptions) -> bool:
        wanted = options.get("in_process")
        return self._in_process if wanted is None else wanted


def _outcome(answer: dict[str, Any], request: dict[str, Any]) -> BlockOutcome:
    __tracebackhide__ = True
    error = answer.get("error")
    if error is not None:
        message = f"{error['message']}\n{error['evidence']}".rstrip()
        if error["kind"] == "no_such_block":
            raise BlockNotFoundError(f"{message}\n{looked_in(request['module'], request['source'])}")
        raise HarnessError(message, kind=error["kind"])
    outcome = BlockOutcome.from_answer(answer, request["type"])
    if outcome.cause in _NOT_RUN:
        raise HarnessError(outcome.message, kind=outcome.cause)
    return outcome
