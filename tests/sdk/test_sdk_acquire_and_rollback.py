"""Jobs that acquire or roll back."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from neops_workflow_engine_client import EntityAcquireByElasticQuery as ElasticDto
from neops_workflow_engine_client import EntityAcquireByExpansion as ExpansionDto
from sdk_support import (
    TextParams,
    TextResult,
    context_json,
    outcome_of,
)

from sdk import (
    AcquireParams,
    EntityAcquireByElasticQuery,
    EntityAcquireContext,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockRollbackResult,
    WorkflowContext,
)


class Echo(FunctionBlock[TextParams, TextResult]):
    async def run(self, params: TextParams, context: WorkflowContext) -> FunctionBlockResult[TextResult]:
        return FunctionBlockResult(success=True, message="ok", data=TextResult(text=params.text))


class Needy(FunctionBlockParams):
    count: int


class Asking(Echo):
    async def acquire(self, params: AcquireParams[TextParams]) -> FunctionBlockAcquireResult:
        items = [
            EntityAcquireByElasticQuery(entity="device", query="site: 1", limit=3),
            EntityAcquireContext(entity="interface", filter="[?x]", assert_not_empty=True, description="all"),
            ElasticDto(type="elastic", assertNotEmpty=True, entity="group", query="*"),
            {"type": "context", "assertNotEmpty": False, "entity": "device", "filter": "[]"},
        ]
        return FunctionBlockAcquireResult(success=True, message="please", acquires=items)


async def test_an_acquire_job_has_the_items_in_the_engines_shape() -> None:
    outcome = await outcome_of(Asking, {}, job_type="acquire")
    assert outcome.acquires == [
        {"type": "elastic", "assertNotEmpty": False, "entity": "device", "query": "site: 1", "limit": 3},
        {
            "type": "context",
            "assertNotEmpty": True,
            "entity": "interface",
            "description": "all",
            "filter": "[?x]",
        },
        {"type": "elastic", "assertNotEmpty": True, "entity": "group", "query": "*"},
        {"type": "context", "assertNotEmpty": False, "entity": "device", "filter": "[]"},
    ]
    assert ElasticDto.from_dict(outcome.acquires[0] if outcome.acquires else {}) is not None
    assert (outcome.success, outcome.data, outcome.db_updates) == (True, None, None)


@pytest.mark.parametrize(
    "item",
    [
        ExpansionDto(type="expansion", assertNotEmpty=True, entity="device", expandFromSeedEntity=True),
        {"type": "reference", "assertNotEmpty": True, "entity": "device", "label": "step"},
        {"type": "elastic", "entity": "device"},
        {"entity": "device"},
        TextParams(),
        "all devices",
    ],
    ids=lambda item: type(item).__name__,
)
async def test_an_item_that_the_engine_takes_from_no_worker_is_a_failed_result(item: Any) -> None:
    class Wrong(Echo):
        async def acquire(self, params: AcquireParams[TextParams]) -> FunctionBlockAcquireResult:
            return FunctionBlockAcquireResult(success=True, message="please", acquires=[item])

    outcome = await outcome_of(Wrong, job_type="acquire")
    assert (outcome.success, outcome.retryable, outcome.acquires) == (False, False, None)
    assert "acquires[0]" in outcome.message
    assert "EntityAcquireByElasticQuery" in outcome.message


async def test_acquiring_sees_incomplete_parameters_and_needs_no_context() -> None:
    seen: list[AcquireParams[Any]] = []

    class Looking(Echo):
        async def acquire(self, params: AcquireParams[Any]) -> FunctionBlockAcquireResult:
            seen.append(params)
            return FunctionBlockAcquireResult(success=True, message="ok", acquires=[])

    outcome = await outcome_of(
        Looking, {"count": None}, job_type="acquire", run_on="device", entity_id=None, param_cls=Needy
    )
    (params,) = seen
    assert (params.partial.count, params.unresolved, params.raw) == (None, {"count"}, {"count": None})
    assert (outcome.success, outcome.acquires) == (True, None)
    assert "count" in outcome.warnings[0]


class Undoing(Echo):
    async def rollback(
        self,
        params: TextParams,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[TextResult] | None = None,
    ) -> FunctionBlockRollbackResult:
        context.devices[0].hostname = "r2"
        return FunctionBlockRollbackResult(success=True, message=f"undone {params.text} {result_from_failed}")


async def test_a_rollback_has_parameters_and_context_and_sends_no_changes() -> None:
    outcome = await outcome_of(Undoing, {"text": "a"}, job_type="rollback", context=context_json())
    assert (outcome.success, outcome.message, outcome.db_updates) == (True, "undone a None", None)
    assert "rollback are not sent" in outcome.warnings[0]


def put_what_is_no_json(context: WorkflowContext) -> None:
    context.devices[0].facts = {"loss": math.nan}


def put_what_is_no_list(context: WorkflowContext) -> None:
    context.devices = None  # type: ignore[assignment]  # as an author may


@pytest.mark.parametrize("change", [put_what_is_no_json, put_what_is_no_list])
async def test_a_rollback_that_worked_does_not_fail_for_a_change_that_would_not_be_sent_anyway(
    change: Callable[[WorkflowContext], None],
) -> None:
    class Spoiling(Echo):
        async def rollback(
            self, params: TextParams, context: WorkflowContext, result_from_failed: Any = None
        ) -> FunctionBlockRollbackResult:
            change(context)
            return FunctionBlockRollbackResult(success=True, message="restored")

    outcome = await outcome_of(Spoiling, {"text": "a"}, job_type="rollback", context=context_json())
    assert (outcome.success, outcome.message, outcome.raised) == (True, "restored", False)
    assert "rollback are not sent" in outcome.warnings[0]


class UndoingAsBefore(Echo):
    async def rollback(  # type: ignore[override]  # the older form has no default
        self, params: TextParams, context: WorkflowContext, result_from_failed: object
    ) -> FunctionBlockRollbackResult:
        return FunctionBlockRollbackResult(success=True, message=f"undone {params.text} {result_from_failed}")


async def test_a_rollback_of_the_older_form_gets_none_for_the_result_that_no_engine_sends() -> None:
    outcome = await outcome_of(UndoingAsBefore, {"text": "a"}, job_type="rollback", context=context_json())
    assert (outcome.success, outcome.message) == (True, "undone a None")


async def test_a_block_without_rollback_fails_it() -> None:
    outcome = await outcome_of(Echo, job_type="rollback")
    assert not outcome.success
    assert "Rollback not implemented" in outcome.message
