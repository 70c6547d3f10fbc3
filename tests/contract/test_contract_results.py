"""Delivering results: conformance tests 4 and 9 of the engine contract."""

import sqlite3
from typing import Any

import pytest
from contract_support import ECHO, Setup, body_of

from sdk.devengine import Fault
from supervisor.log.events.results import ResultArrivedBefore, ResultRefused, ResultTooLate
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]


def pushed_bodies(setup: Setup, job_id: str) -> list[str]:
    return [request.body_text for request in setup.results_of(job_id)]


def claims_left(setup: Setup, job_id: str) -> list[tuple[Any, ...]]:
    """What the journal still holds of a job: the reason why its result is a dead letter, if it is one."""
    # Read-only, and closed at once: the journal is the running worker's.
    database = sqlite3.connect(f"file:{setup.worker.state_dir}/journal.sqlite3?mode=ro", uri=True)
    try:
        return database.execute("SELECT dead_reason FROM claims WHERE job_id = ?", (job_id,)).fetchall()
    finally:
        database.close()


TEMPORARY = {
    "500, 502 and 503": [Fault("result", status=status) for status in (500, 502, 503)],
    "408": [Fault("result", status=408)],
    "429 with a wish": [Fault("result", status=429, headers={"Retry-After": "0.3"})],
    "429 with a date": [
        Fault(
            "result",
            status=429,
            headers={"Retry-After": "Wed, 21 Oct 2026 07:28:01 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
        )
    ],
    "a login page": [Fault("result", status=200, body="<html>", content_type="text/html")],
    "a redirection": [Fault("result", status=302, headers={"Location": "/login"})],
    "no answer": [Fault("result", drop="before")],
}


@pytest.mark.parametrize("name", TEMPORARY)
async def test_a_result_is_sent_unchanged_until_the_engine_takes_it(setup: Setup, name: str) -> None:
    """Number 4: 5xx, 408, 429 and a broken connection are tried again, with the same bytes."""
    for fault in TEMPORARY[name]:
        setup.engine.faults.add(fault)
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "unchanged"})
    assert (await setup.result(job_id))["status"] == "success"
    bodies = pushed_bodies(setup, job_id)
    assert len(bodies) == len(TEMPORARY[name]) + 1
    assert len(set(bodies)) == 1


async def test_the_engines_wish_for_a_pause_is_respected(setup: Setup) -> None:
    """Number 4: Retry-After."""
    setup.engine.faults.add(Fault("result", status=503, headers={"Retry-After": "1"}))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "later"})
    await setup.result(job_id)
    first, second = setup.results_of(job_id)
    assert second.monotonic_seconds - first.monotonic_seconds >= 1


async def test_a_refused_result_is_not_sent_again_and_a_failed_one_that_says_so_takes_its_place(
    setup: Setup,
) -> None:
    """Number 4: 400 is final. The result stays in the journal, with the reason, and an ERROR names the job (I8)."""
    setup.engine.faults.add(Fault("result", status=400, body={"message": "no good"}))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "refused"})
    line = await setup.logged(ResultRefused, job_id)
    assert " ERROR " in line
    assert "400" in line
    assert "no good" in line
    result = await setup.result(job_id)
    assert result["status"] == "failed"
    assert "no good" in result["result"]["message"]
    assert await setup.works()
    assert len(pushed_bodies(setup, job_id)) == 2
    await until(lambda: len(claims_left(setup, job_id)) == 1, "only the refused one is kept")
    ((reason,),) = claims_left(setup, job_id)
    assert "400" in reason


async def test_a_result_that_comes_too_late_is_dropped_and_polling_goes_on(setup: Setup) -> None:
    """Number 4: 409. The engine has a result; nothing is left to do, and nothing is left in the journal."""
    setup.engine.faults.add(Fault("result", status=409))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "too late"})
    await setup.logged(ResultTooLate, job_id)
    assert await setup.works()
    assert len(pushed_bodies(setup, job_id)) == 1
    await until(lambda: claims_left(setup, job_id) == [], "the journal has forgotten the claim")


async def test_a_result_whose_acknowledgement_got_lost_is_sent_again_and_counts_once(setup: Setup) -> None:
    """apache/airflow#63183: the answer to a success is lost, and at the next try the job is called failed.

    Number 4, I8: the engine took it and the connection broke; the second time it answers 409.
    """
    setup.engine.faults.add(Fault("result", drop="after"))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "twice"})
    line = await setup.logged(ResultArrivedBefore, job_id)
    assert " INFO " in line
    assert [request.status for request in setup.results_of(job_id)] == [None, 409]
    assert setup.engine.job(job_id).result_status == "success"
    await until(lambda: claims_left(setup, job_id) == [], "the journal has forgotten the claim")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("result", status=302, headers={"Location": "/sign-in"}),
        Fault("result", status=200, body="<html>Sign in</html>", content_type="text/html"),
    ],
    ids=["redirect", "page"],
)
async def test_a_sign_in_page_in_between_is_not_taken_for_the_engine(setup: Setup, fault: Fault) -> None:
    """I1: only 201 and 409 mean that the engine has the result, and only a 4xx that it never will."""
    setup.engine.faults.add(fault)
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "through"})
    await setup.logged("leads to the engine, and not to a proxy or a web page")
    assert (await setup.result(job_id))["status"] == "success"
    assert [request.status for request in setup.results_of(job_id)] == [fault.status, 201]
    await until(lambda: claims_left(setup, job_id) == [], "the journal has forgotten the claim")


async def test_one_result_that_the_engine_chokes_on_holds_up_no_other(setup: Setup) -> None:
    """Number 4: each result has retries of its own."""
    setup.engine.faults.add(Fault("result", status=503, headers={"Retry-After": "6"}))
    slowed = setup.engine.submit(block=ECHO, parameters={"text": "slowed"})
    await until(lambda: setup.results_of(slowed), "the first try")
    other = setup.engine.submit(block=ECHO, parameters={"text": "other"})
    await setup.result(other)
    assert setup.engine.job(slowed).status == "polled"
    await setup.result(slowed)


CONTEXT: dict[str, Any] = {
    "devices": [
        {"id": 5, "hostname": "sw5", "softwareRelease": "17.3", "facts": {"uptime": 1.5}, "interfaceCount": 1}
    ],
    "interfaces": [{"id": 51, "name": "Gi0/1"}],
    "deviceGroups": [{"id": 7, "name": "core"}],
}


def change(setup: Setup, choice: str) -> str:
    return setup.engine.submit(
        block="contract/change:1.0.0",
        parameters={"choice": choice},
        context=CONTEXT,
        run_on="device",
        entity_id=5,
    )


async def test_database_updates_have_the_shapes_of_the_contract(setup: Setup) -> None:
    """Number 9: create, patch with null, delete; integers stay integers, and lists may hold null."""
    result = await setup.result(change(setup, ""))
    updates = result["result"]["dbUpdates"]["updates"]
    (create,) = (each for each in updates if each["operation"] == "create")
    assert create["entity"] == "interface"
    assert create["skipIfIdentifierExists"] is True
    assert create["identifierFields"] == ["name"]
    assert create["data"]["name"] == "Gi0/9"
    assert create["data"]["ifindex"] == 9
    assert 10_000_000 <= create["id"] < 2**31
    deletes = [each for each in updates if each["operation"] == "delete"]
    assert deletes == [{"operation": "delete", "entity": "group", "id": 7}]
    patches = {each["path"]: each for each in updates if each["operation"] == "patch"}
    head = {"operation": "patch", "entity": "device", "id": 5}
    assert patches["software_release"] == {**head, "path": "software_release", "value": None}
    facts = patches["facts"]["value"]
    assert facts == {"uptime": 0, "ports": [1, None, 2.5], "large": 2**53}
    assert [type(number) for number in (facts["uptime"], facts["ports"][0], facts["large"])] == [int] * 3


async def test_read_only_fields_are_not_sent_and_it_is_said(setup: Setup) -> None:
    """Number 9: excluded fields."""
    result = await setup.result(change(setup, ""))
    paths = {each.get("path") for each in result["result"]["dbUpdates"]["updates"]}
    assert "interface_count" not in paths
    await setup.logged("interface_count is read-only")


async def test_a_failure_sends_no_database_updates(setup: Setup) -> None:
    """Number 9: what a failed step half did is not to be written."""
    result = await setup.result(change(setup, "fail"))
    assert result["status"] == "failed"
    assert "dbUpdates" not in result["result"]


async def test_a_job_that_changes_nothing_sends_no_database_updates(setup: Setup) -> None:
    """Number 9."""
    assert "dbUpdates" not in await setup.run(ECHO, {"text": "nothing"})


async def test_a_result_says_retryable_only_where_the_block_said_so(setup: Setup) -> None:
    """Number 8: an engine of the 0.43 generation decides by it."""
    final = setup.engine.submit(block="contract/fails:1.0.0", parameters={"choice": "final"})
    assert (await setup.result(final))["result"]["retryable"] is False
    assert setup.engine.job(final).attempts == 1
    repeatable = setup.engine.submit(block="contract/fails:1.0.0")
    await setup.result(repeatable)
    assert all("retryable" not in body_of(each)["result"] for each in setup.results_of(repeatable))


async def test_a_result_carries_nothing_that_the_contract_does_not_name(setup: Setup) -> None:
    """W6: a strict engine refuses unknown fields."""
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "plain"})
    result = await setup.result(job_id)
    assert result == {
        "jobExecutionId": job_id,
        "status": "success",
        "result": {"success": True, "message": "Echoed the text", "data": {"text": "plain"}},
    }
