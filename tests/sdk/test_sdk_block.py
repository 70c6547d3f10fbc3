"""Running a block's methods: whatever they do, there is a result."""

import asyncio
import contextvars
import logging
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
from sdk_support import (
    AnyResult,
    TextParams,
    TextResult,
    block_raising,
    block_returning,
    meta,
    registered,
)

from sdk import (
    AcquireParams,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockRollbackResult,
    JobMeta,
    WorkflowContext,
)
from sdk.errors import SdkError
from tests.patience import PATIENCE_SECONDS

OK = FunctionBlockResult(success=True, message="ok", data=TextResult(text="a"))


def global_context() -> WorkflowContext:
    return WorkflowContext({}, "global")


async def execute(block: FunctionBlock[Any, Any], **options: Any) -> FunctionBlockResult[Any]:
    return await block.execute_function_block(TextParams(), global_context(), **options)


class WithMeta(FunctionBlock[TextParams, TextResult]):
    async def run(
        self, params: TextParams, context: WorkflowContext, meta: JobMeta
    ) -> FunctionBlockResult[TextResult]:
        return FunctionBlockResult(success=True, message=meta.job_id)


class Plain(FunctionBlock[TextParams, TextResult]):
    """`run` without async, which blocks of beginners have."""

    seen: str = ""

    def run(self, params: TextParams, context: WorkflowContext) -> FunctionBlockResult[TextResult]:
        Plain.seen = threading.current_thread().name
        return FunctionBlockResult(success=True, message=flavour.get())


flavour = contextvars.ContextVar("flavour", default="none")


async def test_run_without_meta_works() -> None:
    assert await execute(block_returning(OK)()) == OK


async def test_run_with_meta_gets_the_facts_of_the_job() -> None:
    assert (await execute(WithMeta(), meta=meta())).message == "job-1"


async def test_run_with_meta_works_without_a_job() -> None:
    assert (await execute(WithMeta())).message == "detached"


async def test_a_plain_run_works_in_a_thread_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    flavour.set("vanilla")
    result = await execute(Plain())
    assert (result.success, result.message) == (True, "vanilla")
    assert Plain.seen != threading.current_thread().name
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "async def" in caplog.text


async def test_a_plain_run_that_returns_an_awaitable_is_awaited_and_not_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Wrapped(block_returning(OK)):
        def run(self, params: Any, context: Any) -> Any:
            return super().run(params, context)

    assert await execute(Wrapped()) == OK
    assert caplog.records == []


@pytest.mark.parametrize("error", [StopIteration(3), SystemExit(0), ValueError("bad")], ids=repr)
async def test_what_a_plain_run_raises_is_a_failed_result(error: BaseException) -> None:
    class Raising(FunctionBlock[Any, Any]):
        def run(self, params: Any, context: Any) -> Any:
            raise error

    result = await asyncio.wait_for(execute(Raising()), PATIENCE_SECONDS)
    assert not result.success
    assert type(error).__name__ in result.message


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        SystemExit(0),
        KeyboardInterrupt(),
        GeneratorExit(),
        BaseExceptionGroup("several", [KeyboardInterrupt(), ValueError("bad")]),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_block_raises_is_a_failed_result_that_names_it(error: BaseException) -> None:
    result = await execute(block_raising(error)())
    assert (result.success, result.data, result.retryable) == (False, None, None)
    assert type(error).__name__ in result.message
    assert str(error) in result.message
    assert f"{Path(sys.modules[block_raising.__module__].__file__ or '').name}:" in result.message


async def test_an_exit_in_the_middle_of_a_block_is_no_success() -> None:
    class Exiting(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            await asyncio.sleep(0)
            sys.exit(0)

    result = await execute(Exiting())
    assert not result.success
    assert "SystemExit: 0" in result.message


async def test_cancellation_always_passes() -> None:
    started = asyncio.Event()

    class Waiting(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

    job = asyncio.create_task(execute(Waiting()))
    await started.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()], ids=repr)
async def test_exceptions_come_out_when_a_test_asks_for_them(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        await execute(block_raising(error)(), propagate_exceptions=True)
    assert caught.value is error


@pytest.mark.parametrize(
    "wrong", [None, {"success": True}, 5, "done", OK.data, FunctionBlockResult], ids=repr
)
async def test_anything_but_a_result_is_a_failed_result_that_says_so(wrong: Any) -> None:
    result = await execute(block_returning(wrong)())
    assert (result.success, result.retryable) == (False, False)
    assert "Return a FunctionBlockResult" in result.message
    with pytest.raises(SdkError):
        await execute(block_returning(wrong)(), propagate_exceptions=True)


async def test_data_of_another_class_than_registered_is_a_failed_result() -> None:
    block = registered(block_returning(FunctionBlockResult(success=True, message="ok", data=AnyResult())))
    result = await execute(block.cls())
    assert (result.success, result.retryable) == (False, False)
    assert "AnyResult" in result.message
    assert "TextResult" in result.message


async def test_data_of_the_registered_class_or_a_subclass_is_fine() -> None:
    class Longer(TextResult):
        more: int = 1

    for data in (None, TextResult(text="a"), Longer(text="a")):
        block = registered(block_returning(FunctionBlockResult(success=True, message="ok", data=data)))
        assert (await execute(block.cls())).data is data


def test_data_that_is_a_dict_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="instance of the block's result class, not dict"):
        FunctionBlockResult(success=True, message="ok", data={"text": "a"})


async def test_acquiring_nothing_and_no_rollback_are_the_defaults() -> None:
    block = block_returning(OK)()
    acquired = await block.acquire_function_block(AcquireParams(TextParams(), frozenset(), {}))
    assert (acquired.success, acquired.acquires) == (True, None)
    rolled_back = await block.rollback_function_block(TextParams(), global_context())
    assert not rolled_back.success
    assert "Rollback not implemented" in rolled_back.message


class Failing(block_returning(OK)):
    async def acquire(self, params: AcquireParams[Any]) -> FunctionBlockAcquireResult:
        raise LookupError(params.partial.pin)

    async def rollback(self, params: Any, context: Any, result_from_failed: Any = None) -> Any:
        return OK


async def test_acquire_and_rollback_have_the_same_boundary_as_run() -> None:
    params = TextParams(pin="swordfish")
    acquired = await Failing().acquire_function_block(AcquireParams(params, frozenset(), {}))
    assert not acquired.success
    assert "while acquiring raised LookupError: *** (" in acquired.message
    rolled_back = await Failing().rollback_function_block(params, global_context())
    assert isinstance(rolled_back, FunctionBlockRollbackResult)
    assert "Return a FunctionBlockRollbackResult" in rolled_back.message
    with pytest.raises(LookupError):
        await Failing().acquire_function_block(
            AcquireParams(params, frozenset(), {}), propagate_exceptions=True
        )


async def test_a_run_of_the_wrong_shape_is_a_failed_result() -> None:
    class NoContext(FunctionBlock[Any, Any]):
        async def run(self, params: Any) -> Any:
            return OK

    result = await execute(NoContext())
    assert "Declare it as run(self, params, context)" in result.message


def test_a_block_without_run_can_not_be_made() -> None:
    with pytest.raises(TypeError):
        FunctionBlock()


def test_the_logger_carries_its_context_on_every_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    block = block_returning(OK)(logger=logging.getLogger("tests.block"))
    log = block.logger.with_context(device="r1").with_context(step=2)
    log.info("connected to %s", "r1", extra={"mine": True})
    block.logger.info("plain")
    first, second = caplog.records
    assert first.getMessage() == "connected to r1"
    assert (first.name, first.context, first.mine) == ("tests.block", {"device": "r1", "step": 2}, True)
    assert second.context == {}


def test_an_adapter_given_as_logger_keeps_its_context() -> None:
    adapter = logging.LoggerAdapter(logging.getLogger("tests.block"), {"job": "j1"})
    assert block_returning(OK)(logger=adapter).logger.get_context() == {"job": "j1"}


def test_a_log_record_names_the_authors_line(caplog: pytest.LogCaptureFixture) -> None:
    block_returning(OK)().logger.warning("here")
    assert caplog.records[0].filename == Path(__file__).name
    assert traceback.extract_stack()[-1].name == caplog.records[0].funcName
