"""Claiming jobs: conformance tests 1, 2, 3 and 14 (engine contract §9), and bad answers to the poll."""

import pytest
from contract_support import ECHO, SLOW, Setup, body_of, job_item, until

from sdk.devengine import Fault

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]


def limits(setup: Setup) -> list[int]:
    return [body_of(poll)["limit"] for poll in setup.sent("poll")]


async def test_a_poll_asks_for_as_many_jobs_as_slots_are_free(setup: Setup) -> None:
    """Number 1."""
    await until(lambda: limits(setup)[-1:] == [2], "an idle worker asks for two jobs")
    slow = setup.engine.submit(block=SLOW, parameters={"seconds": 0.5})
    await setup.started(slow)
    await until(lambda: limits(setup)[-1:] == [1], "with one job running it asks for one")
    await setup.result(slow)
    await until(lambda: limits(setup)[-1:] == [2], "when the job is over it asks for two again")


async def test_a_worker_without_a_free_slot_does_not_poll(setup: Setup) -> None:
    """Number 1: a claim that can't be started would only grow old here."""
    jobs = [setup.engine.submit(block=SLOW, parameters={"seconds": 0.5}) for _ in range(2)]
    for job_id in jobs:
        await setup.started(job_id)
    before = len(setup.sent("poll"))
    for job_id in jobs:
        await setup.result(job_id)
    claims = [setup.engine.job(job_id) for job_id in jobs]
    first_end = min(job.finished_at or 0 for job in claims)
    last_claim = max(job.claimed_at or 0 for job in claims)
    between = [poll for poll in setup.sent("poll") if last_claim < poll.epoch_seconds < first_end - 0.05]
    assert between == []
    assert before > 0


async def test_a_poll_names_every_accepted_block_as_an_object(setup: Setup) -> None:
    """Number 1: the ids of a poll are objects, not strings (W5)."""
    await until(lambda: setup.sent("poll"), "a poll")
    asked = body_of(setup.sent("poll")[-1])
    named = {
        f"{block['package']}/{block['name']}:"
        f"{block['majorVersion']}.{block['minorVersion']}.{block['patchVersion']}"
        for block in asked["functionBlockIds"]
    }
    assert named == {str(registration.block) for registration in setup.engine.registrations()}
    assert asked["workerId"] == setup.engine.workers()[0].uuid


async def test_a_worker_that_gets_nothing_asks_again(setup: Setup) -> None:
    """Number 1: 201 and an empty list."""
    await until(lambda: len(setup.sent("poll")) >= 3, "three polls of an idle worker")
    assert {poll.status for poll in setup.sent("poll")} == {201}


async def test_more_jobs_than_asked_for_are_all_run(setup: Setup) -> None:
    """Number 1: an engine that ignores the limit must not lose a job by it."""
    names = [f"too-many-{number}" for number in range(5)]
    for name in names:
        setup.engine.inject_raw_item(job_item(name))
    await setup.logged("The engine sent 5 jobs for 2 free slots")
    results = [await setup.result(name) for name in names]
    assert [each["result"]["data"] for each in results] == [{"text": name} for name in names]


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
    assert " ERROR " in await setup.logged("has no id")
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
    item = job_item("infinite", runOn="device", entityId=float("inf"), functionBlockId="contract/change:1.0.0")
    setup.engine.inject_raw_item(item)
    setup.engine.inject_raw_item(job_item("not-a-number", parameters={"text": float("nan")}))
    for name in ("infinite", "not-a-number"):
        assert (await setup.result(name))["status"] == "failed"
    assert await setup.works()


async def test_a_job_of_an_unknown_block_fails_within_seconds(setup: Setup) -> None:
    """Number 3. The message says what is missing, and that a module could not be imported."""
    setup.engine.inject_raw_item(job_item("unknown", functionBlockId="nobody/knows_this:1.0.0"))
    result = await setup.result("unknown", 5)
    assert result["status"] == "failed"
    assert "nobody/knows_this:1.0.0" in result["result"]["message"]
    assert result["result"]["retryable"] is False


async def test_a_job_of_a_block_whose_module_failed_to_import_is_told_where(setup: Setup) -> None:
    """Number 3: file, line and error of the import are in the result."""
    setup.engine.inject_raw_item(job_item("broken", functionBlockId="contract/broken:1.0.0"))
    message = (await setup.result("broken", 5))["result"]["message"]
    assert "broken_module.py:1" in message
    assert "a_module_that_nobody_has_installed" in message


async def test_a_job_that_the_engine_delivers_again_is_run_again(setup: Setup) -> None:
    """Number 14: a retry has the same id."""
    job_id = setup.engine.submit(block="contract/fails:1.0.0")
    await setup.result(job_id)
    pids = [body_of(request)["result"]["data"]["pid"] for request in setup.results_of(job_id)]
    assert setup.engine.job(job_id).attempts == 2
    assert len(set(pids)) == 2


async def test_a_job_that_comes_twice_in_one_poll_is_run_once(setup: Setup) -> None:
    job_id = setup.engine.submit(block=SLOW, parameters={"seconds": 0.2})
    setup.engine.inject_raw_item(setup.engine.job(job_id).item)
    await setup.result(job_id)
    await setup.logged(f"Job {job_id} came twice")
    assert await setup.works()
    assert len(setup.results_of(job_id)) == 1
    assert setup.log.count(f"Job {job_id} starts") == 1


async def test_a_running_job_that_comes_again_is_not_run_beside_itself(setup: Setup) -> None:
    job_id = setup.engine.submit(block=SLOW, parameters={"seconds": 0.5})
    await setup.started(job_id)
    setup.engine.inject_raw_item(setup.engine.job(job_id).item)
    await setup.logged(f"Job {job_id} came twice")
    await setup.result(job_id)
    assert setup.log.count(f"Job {job_id} starts") == 1


async def test_jobs_of_a_poll_answered_with_200_are_run(setup: Setup) -> None:
    """§1.1: a generated client takes 200 for an empty answer, and the jobs it has just claimed are lost."""
    await until(lambda: setup.sent("poll"), "a poll")
    setup.engine.faults.add(Fault("poll", status=200, handle=True, times=3))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "two hundred"})
    assert (await setup.result(job_id))["status"] == "success"
    await until(lambda: setup.engine.faults.waiting == 0, "the fault is over")


HTML = Fault("poll", status=201, body="<html><body>Login</body></html>", content_type="text/html")
TEXT = "[" * 100_000
BAD_ANSWERS = {
    "an HTML page": (HTML, "not JSON"),
    "an HTML page that calls itself JSON": (Fault("poll", body="<html>"), "not JSON"),
    "an object": (Fault("poll", body={"jobs": []}), "no list of jobs"),
    "null": (Fault("poll", body="null"), "no list of jobs"),
    "nothing": (Fault("poll", body=b""), "not JSON"),
    "bytes that are no text": (Fault("poll", body=b"[\xff\xfe\xfa]"), "not JSON"),
    "brackets without end": (Fault("poll", body=TEXT), "not JSON"),
    "nesting without end": (Fault("poll", body=TEXT + "]" * 100_000), "not JSON"),
    "an internal error": (Fault("poll", status=500), "500"),
    "a refusal": (Fault("poll", status=400), "400"),
    "too many requests": (Fault("poll", status=429, headers={"Retry-After": "0.1"}), "429"),
    "a redirect": (Fault("poll", status=302, headers={"Location": "http://127.0.0.1:9/"}), "302"),
    "no answer": (Fault("poll", drop="before"), "No answer"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_bad_answer_to_a_poll_is_named_and_polling_goes_on(setup: Setup, name: str) -> None:
    fault, told = BAD_ANSWERS[name]
    setup.engine.faults.add(fault)
    assert told in await setup.logged("Polling fails")
    await setup.logged("Polling works again")
    assert await setup.works()


async def test_an_answer_that_breaks_off_does_not_put_its_secrets_into_the_log(setup: Setup) -> None:
    """I9: a job list that is cut off is no JSON, but still full of passwords."""
    cut_off = '[{"context": {"devices": [{"id": 1, "password": "cut-off-secret'
    setup.engine.faults.add(Fault("poll", body=cut_off))
    await setup.logged("Polling fails")
    await setup.logged("Polling works again")
    assert "cut-off-secret" not in setup.log


async def test_a_poll_that_the_engine_does_not_know_the_worker_of_registers_anew(setup: Setup) -> None:
    """W5: 404 is the poll's way of saying what the ping says."""
    setup.engine.faults.add(Fault("poll", status=404))
    await setup.logged("Registering anew")
    assert await setup.works()


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
