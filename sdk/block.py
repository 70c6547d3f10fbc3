"""`FunctionBlock`: the base class of an author's blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, final

from sdk.acquire_params import AcquireParams
from sdk.boundary import guarded
from sdk.calls import call, needs_forward_result, wants_meta
from sdk.context import WorkflowContext
from sdk.errors import SdkError
from sdk.job import JobMeta
from sdk.job_reader import JobReader
from sdk.logger import BlockLogger, LoggerLike, block_logger
from sdk.models import FunctionBlockParams
from sdk.result_checks import checked, checked_data
from sdk.results import (
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockRollbackResult,
    ResultT,
)
from sdk.sensitive import collect_secrets

if TYPE_CHECKING:
    from sdk.registration import Registration

ParamsT = TypeVar("ParamsT", bound=FunctionBlockParams)


class FunctionBlock(ABC, Generic[ParamsT, ResultT]):
    """A unit of work that the engine can run. Each job gets its own instance, in its own process.

    The two types are its parameters and its result's data: `FunctionBlock[GreetParams, GreetResult]`. An author
    defines `run`, and `acquire` and `rollback` if needed, and registers the class with `register_function_block`.
    A caller runs a block by `execute_function_block`, `acquire_function_block` or `rollback_function_block`.

    What a block changes in its class, in a module or in the environment is gone after its job. Do not define
    `__init__`, or take `logger=None` and pass it on to `super().__init__`.
    """

    # For pytest, which would take a block `Testbed` for a class of tests, and warn that it can't collect it.
    __test__: ClassVar[bool] = False

    registration: ClassVar[Registration | None] = None
    """Set by `register_function_block`."""

    job_reader: ClassVar[JobReader] = JobReader()
    """How its jobs are read. Not for authors: blocks of another SDK have their own rules (`sdk.compat`)."""

    logger: BlockLogger
    """What you log here is in the job's log, with its job, block and step."""

    def __init__(self, logger: LoggerLike | None = None) -> None:
        self.logger = block_logger(f"{type(self).__module__}.{type(self).__qualname__}", logger)

    # *args and **kwargs: Any mean "and perhaps more" (typing specification, Callables). So a type checker accepts
    # run(params, context) and run(params, context, meta) as overrides.
    @abstractmethod
    async def run(
        self, params: ParamsT, context: WorkflowContext, *args: Any, **kwargs: Any
    ) -> FunctionBlockResult[ResultT]:
        """Do the work. Declare it as `run(self, params, context)` or `run(self, params, context, meta)`.

        `params` is validated. `context` holds the entities of the job and takes changes to them. `meta` is a
        `JobMeta`. Return a `FunctionBlockResult` on every path. Its data is sent as JSON, at most 8 MB unless the
        worker is set otherwise.

        An exception of any kind, also `sys.exit`, becomes a failed result with its type, text and the line that raised
        it; its traceback goes to the job's log. `asyncio.CancelledError` means that the time limit or a shutdown ends
        the job. Clean up and let it pass: the process is killed soon after (after `grace_seconds`, 10 unless set
        otherwise).

        Write it as `async def`. A plain `def` works, too, in a thread, with a warning: it can't be cancelled.
        """

    async def acquire(self, params: AcquireParams[ParamsT]) -> FunctionBlockAcquireResult:
        """Say what the run must lock before its first step: nothing, unless defined.

        Put `EntityAcquireByElasticQuery` and `EntityAcquireContext` items into the result; any other item is a
        failure. There is no context yet, and parameters may be incomplete. Exceptions and cancellation as in `run`.
        """
        return FunctionBlockAcquireResult(success=True, message="Nothing to acquire", acquires=None)

    async def rollback(
        self,
        params: ParamsT,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[ResultT] | None = None,
    ) -> FunctionBlockRollbackResult:
        """Undo what `run` did with the same parameters and context.

        In jobs `result_from_failed` is always None, whatever its default: the engine does not send the result of the
        forward job. Changes to the entities are not sent: the engine takes none from a rollback. A block that is
        registered as `reversible` needs this method; the default fails. Exceptions and cancellation as in `run`.
        """
        return FunctionBlockRollbackResult(
            success=False, message=f"Rollback not implemented by {type(self).__qualname__}"
        )

    @final
    async def execute_function_block(
        self,
        params: ParamsT,
        context: WorkflowContext,
        meta: JobMeta | None = None,
        *,
        propagate_exceptions: bool = False,
    ) -> FunctionBlockResult[ResultT]:
        """Call `run` in this process and always return a result; `block_runner` does it as in production.

        `asyncio.CancelledError` always passes: cancelling this cancels `run`. Other exceptions pass only with
        `propagate_exceptions`; so does `SdkError` for a result of the wrong type. Without `meta` the block
        gets `JobMeta.detached`, which has no time limit.
        """

        async def attempt() -> FunctionBlockResult[ResultT]:
            facts = (meta or JobMeta.detached(self._name),) if wants_meta(type(self).run, self._name) else ()
            outcome = await call(self.run, params, context, *facts, what=self._name, warn=self.logger.warning)
            return checked_data(checked(outcome, FunctionBlockResult, self._name, "run"), self.registration)

        return await guarded(
            attempt,
            _failed,
            what=self._name,
            logger=self.logger,
            secrets=_secrets(params, context),
            propagate_exceptions=propagate_exceptions,
        )

    @final
    async def acquire_function_block(
        self, params: AcquireParams[ParamsT], *, propagate_exceptions: bool = False
    ) -> FunctionBlockAcquireResult:
        """Call `acquire`; results, exceptions and cancellation as in `execute_function_block`."""

        async def attempt() -> FunctionBlockAcquireResult:
            outcome = await call(self.acquire, params, what=self._name, warn=self.logger.warning)
            return checked(outcome, FunctionBlockAcquireResult, self._name, "acquire")

        return await guarded(
            attempt,
            lambda message, _: FunctionBlockAcquireResult(success=False, message=message),
            what=f"{self._name} while acquiring",
            logger=self.logger,
            secrets=lambda: collect_secrets([params.partial, params.raw]),
            propagate_exceptions=propagate_exceptions,
        )

    @final
    async def rollback_function_block(
        self, params: ParamsT, context: WorkflowContext, *, propagate_exceptions: bool = False
    ) -> FunctionBlockRollbackResult:
        """Call `rollback`; results, exceptions and cancellation as in `execute_function_block`."""

        async def attempt() -> FunctionBlockRollbackResult:
            older = (None,) if needs_forward_result(type(self).rollback) else ()
            outcome = await call(
                self.rollback, params, context, *older, what=self._name, warn=self.logger.warning
            )
            return checked(outcome, FunctionBlockRollbackResult, self._name, "rollback")

        return await guarded(
            attempt,
            lambda message, _: FunctionBlockRollbackResult(success=False, message=message),
            what=f"{self._name} while rolling back",
            logger=self.logger,
            secrets=_secrets(params, context),
            propagate_exceptions=propagate_exceptions,
        )

    @property
    def _name(self) -> str:
        return self.registration.identifier if self.registration else type(self).__qualname__


def _failed(message: str, error: BaseException) -> FunctionBlockResult[Any]:
    # What the SDK itself refuses, it would refuse again. Nobody knows that of an author's exception.
    retryable = error.retryable if isinstance(error, SdkError) else None
    return FunctionBlockResult(success=False, message=message, retryable=retryable)


def _secrets(params: object, context: object) -> Callable[[], frozenset[str]]:
    # The parameters are read now, because the block may change them. The context can be large and knows its original
    # state, so it is read only when there is something to hide its secrets from.
    of_params = collect_secrets(params)
    return lambda: of_params | (context.secrets() if isinstance(context, WorkflowContext) else frozenset())
