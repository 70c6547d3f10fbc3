"""Jobs are submitted over HTTP or in the process; what can't be handed out is refused, with the reason."""

import json
from typing import Any

import pytest
from devengine_support import ECHO, HttpWorker

from sdk.devengine import DevEngine, RequestError, SubmissionError

JOB = {"block": "lab/echo:1.0.0", "parameters": {"text": "hello"}}


async def test_one_job_or_a_list_is_answered_with_ids_in_order(engine: DevEngine, worker: HttpWorker) -> None:
    status, answer = await worker.call("POST", "/dev/jobs", JOB)
    assert (status, len(answer["jobIds"])) == (201, 1)
    _, more = await worker.call("POST", "/dev/jobs", [JOB, {**JOB, "stepLabel": "second"}])
    assert [job.job_id for job in engine.jobs()] == answer["jobIds"] + more["jobIds"]
    assert [job.step_label for job in engine.jobs()] == ["step", "step", "second"]


async def test_a_list_with_one_bad_job_creates_none(engine: DevEngine, worker: HttpWorker) -> None:
    for bad in ({**JOB, "type": "explode"}, {**JOB, "block": "lab/unknown:1.0.0"}):
        assert (await worker.call("POST", "/dev/jobs", [JOB, bad]))[0] == 400
    assert engine.jobs() == []


@pytest.mark.parametrize(("levels", "status"), [(200, 201), (254, 201), (255, 400), (900, 400)])
async def test_each_job_that_is_taken_can_be_shown_however_deep_it_is_nested(
    engine: DevEngine, worker: HttpWorker, levels: int, status: int
) -> None:
    parameters = {"password": "correct horse", "deep": json.loads("[" * levels + "]" * levels)}
    answered, answer = await worker.call("POST", "/dev/jobs", {**JOB, "parameters": parameters})
    assert answered == status
    assert len(engine.jobs()) == (status == 201)
    for job in engine.jobs():
        shown, _ = await worker.call("GET", f"/dev/jobs/{job.job_id}")
        assert shown == 200
    if status == 400:
        assert answer["message"] == "the body is nested more than 256 levels deep"


@pytest.mark.parametrize(
    ("reference", "resolved"),
    [("1", "1.3.0"), ("1.2", "1.2.10"), ("1.2.9", "1.2.9"), ("2", "2.0.0"), ("1.0", "1.0.0")],
)
async def test_a_version_resolves_to_the_highest_registered_one(
    engine: DevEngine, worker: HttpWorker, reference: str, resolved: str
) -> None:
    for major, minor, patch in [(1, 2, 9), (1, 2, 10), (1, 3, 0), (2, 0, 0)]:
        version = {"majorVersion": major, "minorVersion": minor, "patchVersion": patch}
        assert (await worker.register_block({**ECHO, **version}))[0] == 201
    job_id = engine.submit(block=f"lab/echo:{reference}")
    assert engine.job(job_id).block == f"lab/echo:{resolved}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block": "lab/echo"}, "package/name:major"),
        ({"block": "echo:1.0.0"}, "package/name:major"),
        ({"block": "lab/echo:1.0.0.0"}, "package/name:major"),
        ({"block": "lab/echo:2"}, "registered: lab/echo:1.0.0"),
        ({"block": "lab/ehco:1.0.0"}, "registered: no version of it"),
        ({"parameters": []}, "parameters"),
        ({"context": {"devices": {}}}, "devices must be a list"),
        ({"runOn": "switch"}, "runOn"),
        ({"runOn": "device"}, "needs entityId"),
        ({"runOn": "device", "entityId": 0}, "entityId"),
        ({"runOn": "device", "entityId": 10**30}, "entityId"),
        ({"entityId": 5}, "runOn is global"),
        ({"type": "explode"}, "type"),
        ({"stepLabel": "a-b"}, "stepLabel"),
        ({"stepLabel": "1st"}, "stepLabel"),
        ({"stepLabel": "context"}, "stepLabel"),
    ],
)
async def test_a_job_nobody_could_run_is_refused_with_a_clear_message(
    engine: DevEngine, worker: HttpWorker, change: dict[str, Any], message: str
) -> None:
    status, answer = await worker.call("POST", "/dev/jobs", {**JOB, **change})
    assert status == 400
    assert message in json.dumps(answer["message"])
    assert engine.jobs() == []


async def test_an_empty_list_is_refused(worker: HttpWorker) -> None:
    assert (await worker.call("POST", "/dev/jobs", []))[0] == 400


async def test_an_unregistered_block_waits_when_that_is_asked_for(
    engine: DevEngine, worker: HttpWorker
) -> None:
    later = {**JOB, "block": "lab/later:1.0.0", "allowUnregistered": True}
    assert (await worker.call("POST", "/dev/jobs", later))[0] == 201
    assert (await worker.call("POST", "/dev/jobs", {**later, "block": "lab/later:1"}))[0] == 400
    job_id = engine.submit(block="lab/later:1.0.0")
    assert engine.job(job_id).status == "pending"
    with pytest.raises(SubmissionError):
        engine.submit(block="lab/later:1.0.0", allow_unregistered=False)
    with pytest.raises(SubmissionError):
        engine.submit(block="lab/later:1.0")


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
async def test_parameters_that_are_not_json_are_refused(engine: DevEngine, value: object) -> None:
    with pytest.raises(SubmissionError, match="JSON"):
        engine.submit(block="lab/echo:1.0.0", parameters={"x": value})


async def test_a_wrong_argument_of_submit_names_the_field(engine: DevEngine) -> None:
    with pytest.raises(RequestError, match="runOn"):
        engine.submit(block="lab/echo:1.0.0", run_on="everywhere")


async def test_the_context_is_completed_and_unknown_keys_are_kept(engine: DevEngine) -> None:
    bare = engine.submit(block="lab/echo:1.0.0")
    assert engine.job(bare).item["context"] == {"devices": [], "deviceGroups": [], "interfaces": []}
    partial = engine.submit(block="lab/echo:1.0.0", context={"devices": [{"id": 1}], "extra": 5})
    assert engine.job(partial).item["context"] == {
        "devices": [{"id": 1}],
        "deviceGroups": [],
        "interfaces": [],
        "extra": 5,
    }


OPTIONS = {"port": 22, "enable_secret": "Very-Secret-9", "jump_host": {"user_pass": "Jump-Secret-9"}}
OPTIONS_SHOWN = {"port": 22, "enable_secret": "***", "jump_host": {"user_pass": "***"}}


@pytest.mark.parametrize(
    ("options", "options_shown"),
    [(OPTIONS, OPTIONS_SHOWN), (json.dumps(OPTIONS), json.dumps(OPTIONS_SHOWN))],
    ids=["an object", "a text"],
)
async def test_everything_known_of_a_job_is_shown_without_its_passwords(
    engine: DevEngine, worker: HttpWorker, options: object, options_shown: object
) -> None:
    device = {"id": 7, "username": "admin", "password": "hunter2", "connectionOptions": options}
    job = {**JOB, "context": {"devices": [device]}, "runOn": "device", "entityId": 7}
    _, answer = await worker.call("POST", "/dev/jobs", job)
    (job_id,) = answer["jobIds"]
    _, (item,) = await worker.poll()
    assert item["context"]["devices"] == [device]
    await worker.push(job_id, message="done", data={"text": "hello Very-Secret-9, Jump-Secret-9"})
    status, shown = await worker.call("GET", f"/dev/jobs/{job_id}")
    assert status == 200
    assert shown["context"]["devices"] == [{**device, "password": "***", "connectionOptions": options_shown}]
    assert shown["parameters"] == {"text": "hello"}
    assert shown["result"]["result"]["data"] == {"text": "hello ***, ***"}
    assert (shown["workerName"], shown["finishedBy"], shown["attempts"]) == ("raw", "worker", 1)
    assert "hunter2" not in repr(engine.job(job_id))


async def test_an_unknown_job_is_not_found(worker: HttpWorker) -> None:
    assert (await worker.call("GET", "/dev/jobs/unknown"))[0] == 404


async def test_groups_may_have_the_name_by_which_blocks_know_them(engine: DevEngine) -> None:
    job_id = engine.submit(block="lab/echo:1.0.0", context={"device_groups": [{"id": 1}]})
    expected = {"devices": [], "deviceGroups": [{"id": 1}], "interfaces": []}
    assert engine.job(job_id).item["context"] == expected
