"""The jobs of a poll, each for itself: conformance tests 2 and 3 of the engine contract, and bad parameters."""

import pytest
from contract_support import ECHO, Setup, job_item

from supervisor.log.events.jobs import JobWithoutId
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]


MALFORMED: dict[str, dict[str, object]] = {
    "no-parameters": {"parameters": None},
    "parameters-as-text": {"parameters": "text"},
    "no-context": {"context": None},
    "no-block": {"functionBlockId": None},
    "unknown-type": {"type": "dance"},
    "unknown-run-on": {"runOn": "moon"},
    "entity-id-as-text": {"entityId": "5"},
    "label-as-number": {"stepLabel": 5},
}


async def test_a_malformed_job_fails_alone_and_its_neighbours_run(setup: Setup) -> None:
    """Number 2. The values of an item are not told: they may be secrets."""
    setup.engine.inject_raw_item(job_item("good-before"))
    for name, changes in MALFORMED.items():
        setup.engine.inject_raw_item(job_item(name, **changes))
    setup.engine.inject_raw_item(job_item("good-after"))
    for name in ("good-before", "good-after"):
        assert (await setup.result(name))["result"]["data"] == {"text": name}
    for name in MALFORMED:
        result = await setup.result(name)
        assert result["status"] == "failed"
        assert "can't read" in result["result"]["message"]
        assert result["result"]["retryable"] is False
        assert len(setup.results_of(name)) == 1


@pytest.mark.parametrize("item", [None, 5, "job", [], {}, {"jobId": 7}, {"jobId": ""}, job_item("\ud800")])
async def test_a_job_without_a_usable_id_is_named_in_the_log_and_harms_nobody(
    setup: Setup, item: object
) -> None:
    """Number 2: nobody can be told, so the operator is."""
    setup.engine.inject_raw_item(item)
    neighbour = setup.engine.submit(block=ECHO, parameters={"text": "beside it"})
    assert (await setup.result(neighbour))["status"] == "success"
    assert " ERROR " in await setup.logged(JobWithoutId)
    assert await setup.works()


@pytest.mark.parametrize("levels", [300, 900])
async def test_a_job_nested_too_deeply_fails_alone(setup: Setup, levels: int) -> None:
    """Number 2: what the reader of JSON still takes must not break whoever looks into it afterwards."""
    nested: list[object] = []
    for _ in range(levels):
        nested = [nested]
    name = f"deep-{levels}"
    setup.engine.inject_raw_item(job_item(name, parameters={"text": "deep", "more": nested}))
    neighbour = setup.engine.submit(block=ECHO, parameters={"text": "beside it"})
    assert (await setup.result(neighbour))["status"] == "success"
    result = await setup.result(name)
    assert result["status"] == "failed"
    assert "nested" in result["result"]["message"]


async def test_numbers_that_json_does_not_have_fail_alone(setup: Setup) -> None:
    """Number 2: Python's engine may write NaN and infinity."""
    item = job_item(
        "infinite", runOn="device", entityId=float("inf"), functionBlockId="contract/change:1.0.0"
    )
    setup.engine.inject_raw_item(item)
    setup.engine.inject_raw_item(job_item("not-a-number", parameters={"text": float("nan")}))
    for name in ("infinite", "not-a-number"):
        assert (await setup.result(name))["status"] == "failed"
    assert await setup.works()


async def test_a_job_of_an_unknown_block_fails_within_seconds(setup: Setup) -> None:
    """Number 3. The message says what is missing, and that a module could not be imported."""
    setup.engine.inject_raw_item(job_item("unknown", functionBlockId="nobody/knows_this:1.0.0"))
    result = await setup.result("unknown", PATIENCE_SECONDS)
    assert result["status"] == "failed"
    assert "nobody/knows_this:1.0.0" in result["result"]["message"]
    assert result["result"]["retryable"] is False


async def test_a_job_of_a_block_whose_module_failed_to_import_is_told_where(setup: Setup) -> None:
    """Number 3: file, line and error of the import are in the result."""
    setup.engine.inject_raw_item(job_item("broken", functionBlockId="contract/broken:1.0.0"))
    message = (await setup.result("broken", PATIENCE_SECONDS))["result"]["message"]
    assert "broken_module.py:1" in message
    assert "a_module_that_nobody_has_installed" in message


async def test_an_entity_that_is_not_in_the_context_is_a_clear_failure(setup: Setup) -> None:
    result = await setup.run("contract/change:1.0.0", run_on="device", entity_id=99)
    assert result["success"] is False
    assert "device 99" in result["message"]
    assert "not in its context" in result["message"]
    assert result["retryable"] is False


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "text: missing"),
        ({"text": ""}, "text: missing"),
        ({"text": {"shh": "never-echoed"}}, "text: "),
        ({"text": "fine", "upper": "never-echoed"}, "upper: "),
    ],
)
async def test_parameters_that_do_not_fit_are_named_without_their_values(
    setup: Setup, parameters: dict[str, object], told: str
) -> None:
    result = await setup.run(ECHO, parameters)
    assert result["success"] is False
    assert told in result["message"]
    assert "never-echoed" not in result["message"] + setup.log
    assert result["retryable"] is False
