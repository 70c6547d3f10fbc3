"""The three types of jobs: conformance tests 10 and 11 of the engine contract."""

import json
from typing import Any

import pytest
from contract_support import Setup

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

WANTS = "contract/wants:1.0.0"


async def acquire(setup: Setup, kinds: list[str]) -> dict[str, Any]:
    """The result of acquiring with one parameter missing and one null, as the engine sends unresolved ones."""
    job_id = setup.engine.submit(block=WANTS, parameters={"kinds": kinds, "later": None}, type="acquire")
    return await setup.result(job_id)


async def test_a_block_acquires_with_the_parameters_that_are_known_so_far(setup: Setup) -> None:
    """Number 10: what comes from a later step is null or absent, and no reason to fail."""
    known: list[dict[str, Any]] = [
        {"kinds": [], "later": None},
        {"kinds": []},
        {"kinds": [], "later": "{{ step.result }}"},
    ]
    for parameters in known:
        job_id = setup.engine.submit(block=WANTS, parameters=parameters, type="acquire")
        result = await setup.result(job_id)
        assert result["status"] == "success"
        assert "acquires" not in result
        expected = [] if parameters.get("later") else ["later"]
        assert json.loads(result["result"]["message"]) == expected


async def test_elastic_and_context_items_are_sent_as_the_contract_has_them(setup: Setup) -> None:
    """Number 10."""
    result = await acquire(setup, ["elastic", "context"])
    elastic, context = result["acquires"]
    assert elastic == {
        "type": "elastic",
        "entity": "device",
        "query": "hostname: sw*",
        "limit": 5,
        "assertNotEmpty": False,
    }
    assert context == {"type": "context", "entity": "interface", "filter": "[?name]", "assertNotEmpty": True}
    assert "dbUpdates" not in result["result"]


@pytest.mark.parametrize("kind", ["expansion", "reference"])
async def test_items_that_no_worker_may_send_are_a_failure_and_the_worker_goes_on(
    setup: Setup, kind: str
) -> None:
    """Number 10: the generated client can't even write them."""
    result = await acquire(setup, ["elastic", kind])
    assert result["status"] == "failed"
    assert kind in result["result"]["message"]
    assert result["result"]["retryable"] is False
    assert "acquires" not in result
    assert await setup.works()


async def test_a_block_that_acquires_nothing_succeeds(setup: Setup) -> None:
    """Number 10: most blocks need nothing."""
    job_id = setup.engine.submit(block="neops_base/echo:1.0.0", parameters={}, type="acquire")
    result = await setup.result(job_id)
    assert result["status"] == "success"
    assert "acquires" not in result


async def test_a_rollback_gets_the_forward_parameters_and_context_and_sends_no_updates(setup: Setup) -> None:
    """Number 11: no forward result is sent, and none may be expected."""
    result = await setup.run(
        "contract/undo:1.0.0",
        {"choice": "forward"},
        context={"devices": [{"id": 5, "hostname": "sw5"}]},
        run_on="device",
        entity_id=5,
        type="rollback",
    )
    assert result["success"] is True
    assert json.loads(result["message"]) == ["forward", "sw5", None]
    assert "dbUpdates" not in result
    assert "data" not in result


async def test_a_rollback_of_a_block_that_has_none_is_a_clear_failure(setup: Setup) -> None:
    """Number 11."""
    result = await setup.run("neops_base/echo:1.0.0", {"text": "x"}, type="rollback")
    assert result["success"] is False
    assert "Rollback not implemented" in result["message"]
