"""One job from its raw form to its outcome, as the job runner has it run."""

import asyncio
import json
import logging
import math
from typing import Any

import pytest
from sdk_support import (
    PASSWORD,
    AnyResult,
    TextParams,
    TextResult,
    block_doing,
    block_raising,
    block_returning,
    context_json,
    meta,
    outcome_of,
    registered,
)

from sdk import (
    Device,
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    JobMeta,
    WorkflowContext,
)
from sdk.block_registry import RegisteredBlock
from sdk.execution import JobInput, OutcomeBody, run_job


class Echo(FunctionBlock[TextParams, TextResult]):
    async def run(
        self, params: TextParams, context: WorkflowContext, meta: JobMeta
    ) -> FunctionBlockResult[TextResult]:
        return FunctionBlockResult(success=True, message=meta.job_id, data=TextResult(text=params.text))


class Needy(FunctionBlockParams):
    count: int


async def test_a_job_that_succeeds_has_its_data() -> None:
    assert await outcome_of(Echo, {"text": "a"}) == OutcomeBody(True, "job-1", {"text": "a"})


async def test_a_failed_result_keeps_its_message_data_and_verdict_on_retrying() -> None:
    result = FunctionBlockResult(success=False, message="no", data=TextResult(text="a"), retryable=True)
    assert await outcome_of(block_returning(result)) == OutcomeBody(
        False, "no", {"text": "a"}, retryable=True
    )


async def test_parameters_that_do_not_fit_are_a_failed_result_that_is_not_worth_retrying() -> None:
    outcome = await outcome_of(Echo, {"count": PASSWORD}, param_cls=Needy)
    assert (outcome.success, outcome.retryable) == (False, False)
    assert "count: " in outcome.message
    assert PASSWORD not in outcome.message


async def test_an_entity_that_is_not_there_is_a_failed_result_that_is_not_worth_retrying() -> None:
    outcome = await outcome_of(Echo, context=context_json(), run_on="device", entity_id=99)
    assert (outcome.success, outcome.retryable) == (False, False)
    assert "device 99" in outcome.message


async def test_a_job_type_that_is_not_known_is_a_failed_result() -> None:
    outcome = await outcome_of(Echo, job_type="dance")
    assert (outcome.success, outcome.retryable) == (False, False)
    assert "'dance'" in outcome.message


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(0), KeyboardInterrupt()], ids=repr)
async def test_whatever_the_block_raises_is_a_failed_result(error: BaseException) -> None:
    outcome = await outcome_of(block_raising(error))
    assert (outcome.success, outcome.retryable) == (False, None)
    assert type(error).__name__ in outcome.message


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(0)], ids=repr)
async def test_what_the_constructor_raises_is_a_failed_result_with_a_logged_traceback(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    class Stillborn(Echo):
        def __init__(self, logger: Any = None) -> None:
            raise error

    outcome = await outcome_of(Stillborn)
    assert not outcome.success
    assert type(error).__name__ in outcome.message
    assert "in __init__" in caplog.text


async def test_cancellation_passes() -> None:
    started = asyncio.Event()

    class Waiting(Echo):
        async def run(self, params: TextParams, context: WorkflowContext, meta: JobMeta) -> Any:
            started.set()
            await asyncio.Event().wait()

    job = asyncio.create_task(outcome_of(Waiting))
    await started.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_data_that_is_no_json_is_a_failed_result_with_its_path() -> None:
    data = AnyResult(value={"load": [1, math.nan]})
    result = FunctionBlockResult(success=True, message="ok", data=data)
    outcome = await outcome_of(block_returning(result), result_cls=AnyResult)
    assert (outcome.success, outcome.retryable, outcome.data) == (False, False, None)
    assert "data.value.load[1]" in outcome.message


async def test_the_message_of_a_failed_result_is_not_lost_to_data_that_is_no_json() -> None:
    result = FunctionBlockResult(success=False, message="device is down", data=AnyResult(value=object()))
    outcome = await outcome_of(block_returning(result), result_cls=AnyResult)
    assert (outcome.success, outcome.message, outcome.data) == (False, "device is down", None)
    assert "data.value" in outcome.warnings[0]


def rename(params: Any, context: WorkflowContext) -> None:
    context.devices[0].hostname = "r2"


async def test_changes_of_a_successful_job_are_in_the_outcome() -> None:
    outcome = await outcome_of(block_doing(rename), context=context_json())
    assert outcome.db_updates == [
        {"operation": "patch", "entity": "device", "id": 5, "path": "hostname", "value": "r2"}
    ]


async def test_changes_of_a_failed_job_are_not() -> None:
    class Failing(block_doing(rename)):
        async def run(self, params: Any, context: WorkflowContext) -> Any:
            rename(params, context)
            return FunctionBlockResult(success=False, message="no")

    assert (await outcome_of(Failing, context=context_json())).db_updates is None


async def test_no_changes_are_none() -> None:
    assert (await outcome_of(Echo, context=context_json())).db_updates is None


async def test_a_change_that_is_no_json_is_a_failed_result() -> None:
    def spoil(params: Any, context: WorkflowContext) -> None:
        context.devices[0].facts = {"handle": object()}

    outcome = await outcome_of(block_doing(spoil), context=context_json())
    assert (outcome.success, outcome.retryable, outcome.db_updates) == (False, False, None)
    assert "device 5: facts.handle" in outcome.message


async def test_warnings_on_parameters_and_changes_are_in_the_outcome_and_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def lock(params: Any, context: WorkflowContext) -> None:
        context.devices[0].is_read_locked = True

    outcome = await outcome_of(block_doing(lock), {"extra": 1}, context=context_json())
    assert outcome.success
    assert ["extra" in outcome.warnings[0], "is_read_locked" in outcome.warnings[1]] == [True, True]
    logged = [(record.name, record.getMessage()) for record in caplog.records]
    assert logged == [("tests.job", warning) for warning in outcome.warnings]


async def test_secrets_of_the_job_are_masked_in_messages_and_warnings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parameters = {"text": "a", "pin": "four-four-two", PASSWORD: 1}
    result = FunctionBlockResult(success=False, message=f"{PASSWORD} and four-four-two refused")
    outcome = await outcome_of(block_returning(result), parameters, context=context_json())
    assert outcome.message == "*** and *** refused"
    assert PASSWORD not in outcome.warnings[0] + caplog.text


async def test_texts_of_an_outcome_always_fit_into_utf8() -> None:
    result = FunctionBlockResult(success=False, message="half \ud83d pair")
    outcome = await outcome_of(block_returning(result), {"\ud83d": 1})
    assert outcome.message == "half \ufffd pair"
    assert "\ufffd" in outcome.warnings[0]
    raised = await outcome_of(block_raising(ValueError("half \ud83d pair")))
    assert "half \ufffd pair" in raised.message


async def test_the_traceback_of_the_author_is_logged_as_an_error_of_the_given_logger(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await outcome_of(block_raising(LookupError("lost")))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("tests.job", logging.ERROR)
    assert "LookupError: lost" in record.getMessage()
    assert "in run" in record.getMessage()
    assert "boundary.py" not in record.getMessage()


async def test_the_outcome_is_plain_json() -> None:
    def grow(params: Any, context: WorkflowContext) -> None:
        context.devices.append(Device(hostname="x", skip_if_identifier_exists=False, identifier_fields=[]))

    outcome = await outcome_of(block_doing(grow), context=context_json())
    assert json.loads(json.dumps(outcome.db_updates, allow_nan=False)) == outcome.db_updates


@pytest.mark.parametrize("job_type", ["acquire", "execute", "rollback"])
@pytest.mark.parametrize(
    ("parameters", "context"),
    [(None, None), ([], {}), ("x", "y"), ({"text": None}, {"devices": 5}), ({}, {"devices": [{"id": None}]})],
    ids=str,
)
async def test_no_malformed_job_makes_it_raise(job_type: str, parameters: Any, context: Any) -> None:
    job = JobInput(job_type, parameters, context, "nowhere", None)
    outcome = await run_job(registered(Echo), job, meta(), None)
    assert isinstance(outcome, OutcomeBody)
    assert outcome.message


async def test_a_log_that_is_broken_does_not_take_the_result_along() -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise BrokenPipeError

    logger = logging.getLogger("tests.broken")
    logger.addHandler(Broken())
    logger.propagate = False
    job = JobInput("execute", {"count": "x"}, {}, "global", None)
    outcome = await run_job(registered(Echo, param_cls=Needy), job, meta(), logger)
    assert (outcome.success, outcome.retryable) == (False, False)
    assert "ParameterError" in outcome.message


async def test_each_job_has_an_instance_of_its_own() -> None:
    made: list[FunctionBlock[Any, Any]] = []

    class Counting(Echo):
        def __init__(self, logger: Any = None) -> None:
            super().__init__(logger)
            made.append(self)

    await outcome_of(Counting)
    await outcome_of(Counting)
    assert len({id(each) for each in made}) == 2


async def test_a_class_that_is_registered_twice_does_each_job_under_its_own_registration() -> None:
    class Twice(Echo):
        async def run(self, params: TextParams, context: WorkflowContext, meta: JobMeta) -> Any:
            if params.text == "raise":
                raise KeyError("x")
            return FunctionBlockResult(success=True, message="ok", data=TextResult(text=params.text))

    newer = registered(Twice, version=(2, 0, 0))
    older = registered(Twice, version=(1, 0, 0), result_cls=AnyResult)

    async def outcome(block: RegisteredBlock, text: str) -> OutcomeBody:
        return await run_job(block, JobInput("execute", {"text": text}, None, "global", None), meta(), None)

    assert await outcome(newer, "a") == OutcomeBody(True, "ok", {"text": "a"})
    refused = await outcome(older, "a")
    assert not refused.success
    assert "tests/sample:1.0.0 returned data of class TextResult" in refused.message
    assert (await outcome(newer, "raise")).message.startswith("tests/sample:2.0.0 raised KeyError")
