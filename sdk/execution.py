"""Runs one job, from its raw form to an outcome. The job runner calls this."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sdk.acquire_items import wire_items
from sdk.block import FunctionBlock
from sdk.block_registry import RegisteredBlock
from sdk.boundary import log_error, log_with_traceback
from sdk.concurrency.tasks import ending_before
from sdk.context import WorkflowContext
from sdk.context.workflow_context import changed_entities, updates_from
from sdk.encoding import to_plain
from sdk.errors import EncodingError, SdkError
from sdk.job import JobMeta
from sdk.job_secrets import JobSecrets
from sdk.logger import BlockLogger, LoggerLike, block_logger
from sdk.masking import hide_in_message, hiding, know_job, start_learning
from sdk.results import BaseFunctionBlockResult, FunctionBlockResult, was_raised, was_refused
from sdk.sensitive import collect_secrets
from sdk.unawaited import telling_of_unawaited


class JobType(StrEnum):
    """What the engine asks of a block."""

    ACQUIRE = "acquire"
    EXECUTE = "execute"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class JobInput:
    """The parts of a job that concern the block, as the engine sent them (JSON values, camelCase context).

    `again`, only for a large job: returns its parameters and context again, unchanged. Only a caller that masks their
    secrets in everything that leaves the job gives it: this module then searches for them only if it must.
    `was_read` is called right before the block's code runs, with the objects that were made from them. A process that
    ends with its job may keep these objects, because it takes a while to free thousands of entities.
    """

    type: str
    parameters: Mapping[str, Any] = field(repr=False)
    context: Mapping[str, Any] | None = field(repr=False)
    run_on: str
    entity_id: int | float | None = None
    again: Callable[[], object] | None = field(default=None, repr=False)
    was_read: Callable[[object], None] = field(default=lambda made: None, repr=False)


@dataclass(frozen=True, slots=True)
class OutcomeBody:
    """The outcome of a job. All values are JSON's own types.

    `db_updates` is set only after a successful execute that changed something, `acquires` only after a successful
    acquire that asks for something; both in the engine's wire form. `raised` is true if an exception of the block's
    code ended it. It is false if the block returned a failure, or if the SDK refused something.
    """

    success: bool
    message: str
    data: dict[str, Any] | None = None
    db_updates: list[dict[str, Any]] | None = None
    acquires: list[dict[str, Any]] | None = None
    retryable: bool | None = None
    warnings: tuple[str, ...] = ()
    raised: bool = False
    not_awaited: tuple[str, ...] = ()
    """The `warnings` about calls without `await`."""


async def run_job(
    block: RegisteredBlock,
    job: JobInput,
    meta: JobMeta,
    logger: LoggerLike | None,
    *,
    is_cancelled: Callable[[], bool] = lambda: True,
) -> OutcomeBody:
    """Run `job` with a new instance of `block` and return its outcome.

    Only `asyncio.CancelledError` escapes, and only while `is_cancelled()`. If the caller has not cancelled this job,
    the block has done it itself, and that is a failure like any other. A job that can never succeed, however often it
    is tried (parameters that do not fit, an entity that is missing, a result that is not JSON), is not retryable.
    """
    start_learning()
    own_logger = block_logger(block.registration.identifier, logger)
    bound = own_logger.with_context(job=meta.job_id, block=meta.block_id, step=meta.step_label)
    run = (block.job_run or JobRun)(block, job, meta, bound)
    know_job(run.secrets.all)
    try:
        with ending_before(meta.deadline), telling_of_unawaited(run.warn_of_call):
            return await run.outcome()
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and is_cancelled():
            raise
        return run.failed(error)


class JobRun:
    """One job of one block. `RegisteredBlock.job_run` may name a subclass, for blocks of another SDK."""

    def __init__(self, block: RegisteredBlock, job: JobInput, meta: JobMeta, logger: BlockLogger) -> None:
        self.block = block
        self.job = job
        self.meta = meta
        self.logger = logger
        self.warnings: list[str] = []
        self.not_awaited: list[str] = []
        # From the raw job: it may fail before there is a model that knows the marked fields.
        self.secrets = JobSecrets(
            lambda: collect_secrets(job.again() if job.again else [job.parameters, job.context]),
            is_large=job.again is not None,
        )

    async def outcome(self) -> OutcomeBody:
        """Run the job and return its outcome. Raises what the block or the SDK raises."""
        match self.job.type:
            case JobType.EXECUTE:
                return await self.execute()
            case JobType.ACQUIRE:
                return await self.acquire()
            case JobType.ROLLBACK:
                return await self.rollback()
            case unknown:
                raise SdkError(f"Jobs of type {unknown!r} are not known. Known are {', '.join(JobType)}.")

    async def execute(self) -> OutcomeBody:
        """Run the block."""
        params, context = self._strict_input()
        result = await self._instance(context).execute_function_block(params, context, self.meta)
        # This is the only look at what the block put into an entity's dict in place.
        changed = changed_entities(context)
        self.secrets.add(collect_secrets(changed))
        if not result.success:
            return self._body(result, data=self.data_of_failed(result))
        data = plain_data(result.data)
        return self._body(result, data=data, db_updates=updates_from(context, changed) or None)

    async def acquire(self) -> OutcomeBody:
        """Ask the block what it needs."""
        model = self.block.registration.param_cls
        params = self.block.cls.job_reader.acquire_parameters(model, self.job.parameters, self.warn)
        self.secrets.add(collect_secrets(params.partial))
        result = await self._instance(params).acquire_function_block(params)
        items = wire_items(result.acquires or []) if result.success else []
        return self._body(result, acquires=items or None)

    async def rollback(self) -> OutcomeBody:
        """Ask the block to undo what it did."""
        params, context = self._strict_input()
        result = await self._instance(context).rollback_function_block(params, context)
        if result.success and _has_changes(context):
            self.warn("Changes to the context made in a rollback are not sent: the engine takes none there.")
        return self._body(result)

    def failed(self, error: BaseException) -> OutcomeBody:
        """The outcome of a job that ended with `error`."""
        try:
            tell = log_error if isinstance(error, SdkError) else log_with_traceback
            message = tell(error, self.block.registration.identifier, self.logger, hiding(self.secrets.all()))
        except BaseException as second:
            # The description took more memory than there is, or the log is broken. The job must end nevertheless.
            kinds = f"{type(error).__name__}, and to describe it {type(second).__name__}"
            message = f"{self.block.registration.identifier} raised {kinds}."
        ours = isinstance(error, SdkError)
        return OutcomeBody(
            False,
            self.clean(message),
            retryable=error.retryable if isinstance(error, SdkError) else None,
            warnings=tuple(self.warnings),
            raised=not ours,
            not_awaited=tuple(self.not_awaited),
        )

    def data_of_failed(self, result: FunctionBlockResult[Any]) -> dict[str, Any] | None:
        """The data of a failed result; None, with a warning, if it is not JSON."""
        # The author's message says what went wrong. A value that is not JSON must not hide it.
        try:
            return plain_data(result.data)
        except EncodingError as error:
            self.warn(f"The data of the failed result is left out: {error}")
            return None

    def _strict_input(self) -> tuple[Any, WorkflowContext]:
        reader = self.block.cls.job_reader
        params = reader.parameters(self.block.registration.param_cls, self.job.parameters, self.warn)
        self.secrets.add(collect_secrets(params))
        context = reader.context(self.job.context, self.job.run_on, self.job.entity_id, self.warn)
        return params, context

    def _instance(self, made: object) -> FunctionBlock[Any, Any]:
        self.job.was_read(made)
        block = self.block.cls(logger=self.logger)
        # A class that is registered several times holds only the last registration. It may refuse a new one.
        vars(block)["registration"] = self.block.registration
        if getattr(block, "logger", None) is None:
            constructor = f"{type(block).__qualname__}.__init__"
            self.warn(
                f"{self.block.registration.identifier}: {constructor} does not call super().__init__(logger=logger), "
                "so the worker has set self.logger itself. Call it, or leave __init__ out."
            )
            block.logger = self.logger
        return block

    def _body(self, result: BaseFunctionBlockResult, **parts: Any) -> OutcomeBody:
        retryable = result.retryable if isinstance(result, FunctionBlockResult) else None
        if was_refused(result):
            retryable = (
                False  # the SDK would refuse the same again; nobody knows that of an author's exception
            )
        return OutcomeBody(
            result.success,
            self.clean(result.message),
            retryable=retryable,
            warnings=tuple(self.warnings),
            raised=was_raised(result),
            not_awaited=tuple(self.not_awaited),
            **parts,
        )

    def warn(self, message: str) -> None:
        """Log a warning, and add it to the outcome."""
        text = self.clean(message)
        self.warnings.append(text)
        self.logger.warning(text)

    def warn_of_call(self, message: str) -> None:
        """Like `warn`, for a call without `await`."""
        self.not_awaited.append(self.clean(message))
        self.warn(message)

    def clean(self, text: str) -> str:
        """`text` without secrets."""
        # Also without half surrogate pairs: a device can send them, but UTF-8 can't hold them.
        return str(to_plain(hide_in_message(text, self.secrets.to_hide_in(text))))


def _has_changes(context: WorkflowContext) -> bool:
    try:
        return bool(updates_from(context, changed_entities(context)))
    except SdkError:
        # Nothing of this is sent. What could not be sent is not the rollback's fault.
        return True


def plain_data(data: object) -> dict[str, Any] | None:
    """Result data in the form that the engine accepts. Raises `EncodingError`."""
    plain = to_plain(data, "data")
    if plain is None or isinstance(plain, dict):
        return plain
    raise EncodingError("data", f"the engine needs an object, not {type(plain).__name__}")
