"""Runs a block in the process of the tests, so that a debugger stops at its breakpoints.

The block passes the same checks as in a child: parameters are validated, the context is a copy, what the block raises
or returns becomes the same outcome, and secrets are masked in its message. But a separate process is missing:

* No limit ends it: if a block hangs, the tests hang (the timeout of pytest, if there is one, ends it).
* A crash or `os._exit` ends the tests.
* What it changes (environment, working directory, globals, what tests have patched) stays changed and is seen.
* What it prints goes where pytest sends it, and is not in the outcome. Nor is a stack, a stall or the used memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from sdk.block_registry import RegisteredBlock, registry
from sdk.execution import JobInput, OutcomeBody, run_job
from sdk.job import JobMeta
from sdk.known_hosts import KnownHosts, use_known_hosts
from sdk.masking import hiding
from sdk.sensitive import collect_secrets
from sdk.testing.contexts import only_entity
from sdk.testing.errors import BlockNotFoundError
from sdk.testing.evidence import LogLine
from sdk.testing.locations import block_id_of
from sdk.testing.outcome import BlockOutcome
from sdk.testing.run_request import Block, Context, Params, RunOptions, entity_of
from sdk.testing.wire import context_of, parameters_of

_LOGGER: Final = "block"  # the same name as in a child


def run_here(block: Block, params: Params, context: Context, options: RunOptions) -> BlockOutcome:
    """Run a block in this process and return its outcome. Like `BlockRunner.run`."""
    return _finish(run_on_this_loop(block, params, context, options))


def _finish(run: Coroutine[Any, Any, BlockOutcome]) -> BlockOutcome:
    if not _a_loop_runs():
        return asyncio.run(run)
    # A loop runs in this thread, so the block needs another loop in another thread. The caller waits for it anyway.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="block") as executor:
        return executor.submit(asyncio.run, run).result()


def _a_loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def run_on_this_loop(
    block: Block, params: Params, context: Context, options: RunOptions
) -> BlockOutcome:
    """Run a block on the running loop and return its outcome. Like `BlockRunner.run_async`."""
    found = _registered(block)
    job = _job_of(found, params, context, options)
    secrets = collect_secrets([job.parameters, job.context])
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="neops-job-") as directory, _recorded(secrets, options) as logs:
        meta = JobMeta(
            job_id="in-process",
            block_id=found.registration.identifier,
            step_label=None,
            deadline=None,
            job_directory=Path(directory),
        )
        body = await _body(found, job, meta)
    return _outcome(body, job.type, tuple(logs), time.monotonic() - started)


async def _body(found: RegisteredBlock, job: JobInput, meta: JobMeta) -> OutcomeBody:
    use_known_hosts(KnownHosts())  # the devices of a test are new each time, at ports that were used before
    try:
        return await run_job(found, job, meta, logging.getLogger(_LOGGER))
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        text = "The block was cancelled by itself or by a task of its own, not by the test."
        return OutcomeBody(success=False, message=text, raised=True)


def _registered(block: Block) -> RegisteredBlock:
    if isinstance(block, str):
        found = registry.function_blocks.get(block)
        if found is None:
            raise BlockNotFoundError(
                f"{block} was not imported in this process. To run it here, import its module and give its class, or "
                "its whole id (package/name:1.0.0)."
            )
        return found
    identifier = block_id_of(block)
    found = registry.function_blocks.get(identifier)
    if found is not None and found.cls is block:
        return found
    # The registry has an earlier or later import of the same module. The class that the test holds is run.
    assert block.registration is not None
    return RegisteredBlock(block, block.registration, module=block.__module__, file="", line=0)


def _job_of(found: RegisteredBlock, params: Params, context: Context, options: RunOptions) -> JobInput:
    run_on, entity_id = entity_of(context, options)
    run_on = run_on or str(found.registration.run_on)
    wire = context_of(context)
    if entity_id is None:
        entity_id = only_entity(run_on, wire)
    return JobInput(
        type=options.get("job_type", "execute"),
        parameters=parameters_of(params),
        context=wire,
        run_on=run_on,
        entity_id=entity_id,
    )


class _Recording(logging.Handler):
    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self.lines: list[LogLine] = []
        self._secrets = secrets
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(LogLine(record.levelno, hiding(self._secrets)(self.format(record))))


@contextlib.contextmanager
def _recorded(secrets: frozenset[str], options: RunOptions) -> Iterator[list[LogLine]]:
    """Record the log as a child does: at the root, because libraries log under their own names."""
    recording, root = _Recording(secrets), logging.getLogger()
    level = root.level
    root.addHandler(recording)
    root.setLevel((options.get("log_level") or "info").upper())
    try:
        yield recording.lines
    finally:
        root.setLevel(level)
        root.removeHandler(recording)


def _outcome(body: OutcomeBody, job_type: str, logs: tuple[LogLine, ...], seconds: float) -> BlockOutcome:
    cause = "completed" if body.success else "block_raised" if body.raised else "block_failed"
    return BlockOutcome(
        success=body.success,
        cause=cause,
        message=body.message,
        job_type=job_type,
        data=body.data,
        db_updates=body.db_updates,
        acquires=body.acquires,
        retryable=body.retryable,
        logs=logs,
        elapsed_seconds=round(seconds, 3),
    )
