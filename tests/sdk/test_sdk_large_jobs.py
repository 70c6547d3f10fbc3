"""The secrets of a large job, which the SDK searches for only where whoever runs it can not hide them."""

import logging
from typing import Any

import pytest
from sdk_support import (
    PASSWORD,
    block_raising,
    block_returning,
    context_json,
    device_json,
    meta,
    registered,
)

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext
from sdk.execution import JobInput, OutcomeBody, run_job
from sdk.masking import MAX_MESSAGE_LENGTH

_OTHER = "of-another-0815"


class _Large:
    """A job with a password. Counts how often its input is asked for once more."""

    def __init__(self, job_type: str = "execute", **context: Any) -> None:
        self.context = context_json(**context)
        self.asked = 0
        self.events: list[str] = []
        self.made: list[object] = []
        self.job_type = job_type

    def again(self) -> object:
        self.asked += 1
        return [{}, context_json(devices=[device_json(password=PASSWORD)])]

    def _was_read(self, made: object) -> None:
        self.events.append("was read")
        self.made.append(made)

    async def run(self, block: type[Any]) -> OutcomeBody:
        job = JobInput(
            self.job_type,
            {},
            self.context,
            "device",
            5,
            again=self.again,
            was_read=self._was_read,
        )
        return await run_job(registered(block), job, meta(), logging.getLogger("tests.job"))


async def test_a_job_that_succeeds_searches_for_no_secrets_that_it_came_with() -> None:
    job = _Large()
    outcome = await job.run(block_returning(FunctionBlockResult(success=True, message=PASSWORD)))
    assert (outcome.message, job.asked) == (PASSWORD, 0)  # whoever runs it hides this one


async def test_what_a_block_raises_is_without_the_secrets_that_the_job_came_with() -> None:
    outcome = await _Large().run(block_raising(ValueError(f"told {PASSWORD}")))
    assert "told ***" in outcome.message


async def test_what_raises_beside_the_block_is_without_them_too() -> None:
    class Unmade(FunctionBlock[Any, Any]):
        def __init__(self, **_: Any) -> None:
            message = f"told {PASSWORD}"
            raise ValueError(message)

        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            raise NotImplementedError

    job = _Large()
    outcome = await job.run(Unmade)
    assert "told ***" in outcome.message
    assert job.asked == 1


async def test_a_message_that_is_cut_is_without_any_secret() -> None:
    job = _Large()
    long = f"told {PASSWORD} " + "x" * MAX_MESSAGE_LENGTH
    outcome = await job.run(block_returning(FunctionBlockResult(success=True, message=long)))
    assert outcome.message.startswith("told *** x")
    assert job.asked == 1


@pytest.mark.parametrize("succeeds", [True, False])
async def test_secrets_that_a_block_puts_into_an_entity_in_place_are_hidden(succeeds: bool) -> None:
    class Telling(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            assert context.device is not None
            context.device.facts = {}
            context.device.facts["login"] = {"secret": _OTHER}
            return FunctionBlockResult(success=succeeds, message=f"told {_OTHER}")

    assert (await _Large().run(Telling)).message == "told ***"


@pytest.mark.parametrize("job_type", ["execute", "acquire", "rollback"])
async def test_what_was_read_is_handed_over_before_the_block_is_made(job_type: str) -> None:
    job = _Large(job_type)
    contexts: list[object] = []

    class Made(FunctionBlock[Any, Any]):
        def __init__(self, *, logger: Any) -> None:
            job.events.append("block made")
            super().__init__(logger=logger)

        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            contexts.append(context)
            return FunctionBlockResult(success=True, message="done")

    await job.run(Made)
    assert job.events[:2] == ["was read", "block made"]
    assert len(job.made) == 1
    assert all(context is job.made[0] for context in contexts)
