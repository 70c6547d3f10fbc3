"""Small blocks, and ways to run them as the job runner does."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

from sdk import (
    SENSITIVE,
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    JobMeta,
    Registration,
    WorkflowContext,
)
from sdk.block_registry import RegisteredBlock
from sdk.execution import JobInput, OutcomeBody, run_job

PASSWORD = "correct-horse"


class TextParams(FunctionBlockParams):
    text: str = "hello"
    pin: Annotated[str, SENSITIVE] = "four-four-two"


class TextResult(FunctionBlockResultData):
    text: str


class AnyResult(FunctionBlockResultData):
    value: Any = None


def registration(**changes: Any) -> Registration:
    facts: dict[str, Any] = {
        "name": "sample",
        "description": "A block of the tests",
        "package": "tests",
        "run_on": "global",
        "fb_type": "execute",
        "param_cls": TextParams,
        "result_cls": TextResult,
    }
    return Registration(**(facts | changes))


def registered(cls: type[FunctionBlock[Any, Any]], **changes: Any) -> RegisteredBlock:
    """`cls` as the registry would hold it, without the registry."""
    facts = registration(**changes)
    cls.registration = facts
    return RegisteredBlock(cls, facts, module=cls.__module__, file=__file__, line=1)


def meta() -> JobMeta:
    return JobMeta("job-1", "tests/sample:1.0.0", "step_1", None, Path("/nowhere"))


def device_json(**changes: Any) -> dict[str, Any]:
    device = {
        "id": 5,
        "hostname": "r1",
        "ip": "192.0.2.5",
        "username": "admin",
        "password": PASSWORD,
        "facts": {"uptime": 7, "nested": {"a": [1, None]}},
        "softwareRelease": "15.1",
        "platform": {"id": 3, "shortName": "ios"},
        "newInEngine99": "kept",
        "isReadLocked": False,
    }
    return device | changes


def context_json(**changes: Any) -> dict[str, Any]:
    context = {
        "devices": [device_json()],
        "deviceGroups": [{"id": 8, "name": "core", "deviceCount": 1}],
        "interfaces": [{"id": 6, "name": "Gi0/1", "ifindex": 3, "device": {"id": 5}}],
    }
    return context | changes


def device_context(**changes: Any) -> WorkflowContext:
    return WorkflowContext(context_json(**changes), "device", 5)


async def outcome_of(
    cls: type[FunctionBlock[Any, Any]],
    parameters: Any = None,
    *,
    job_type: str = "execute",
    context: Any = None,
    run_on: str = "global",
    entity_id: int | None = None,
    **changes: Any,
) -> OutcomeBody:
    job = JobInput(job_type, parameters or {}, context, run_on, entity_id)
    block = registered(cls, **changes)
    return await run_job(block, job, meta(), logging.getLogger("tests.job"))


def block_returning(outcome: Any) -> type[FunctionBlock[Any, Any]]:
    class Returning(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> Any:
            return outcome

    return Returning


def block_raising(error: BaseException) -> type[FunctionBlock[Any, Any]]:
    class Raising(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            raise error

    return Raising


def block_doing(work: Any) -> type[FunctionBlock[Any, Any]]:
    """A block that calls `work(params, context)` and succeeds."""

    class Doing(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            work(params, context)
            return FunctionBlockResult(success=True, message="done")

    return Doing
