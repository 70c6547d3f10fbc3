"""What the engine shows of jobs: lists tell nothing of what is in them, and one job is shown without its secrets."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from devengine_support import ECHO, HttpWorker, running_engine

import sdk.masking
import sdk.sensitive
from sdk.devengine import DevEngine, masking
from sdk.devengine.masking import JobMask

BLOCK = "lab/echo:1.0.0"
MARKED: dict[str, Any] = {**ECHO, "sensitiveParameters": [["key"], ["hosts", "*", "pin"], ["vault"]]}
PARAMETERS = {
    "key": "canary-key",
    "hosts": [{"name": "r1", "pin": 12345678}],
    "vault": {"canary-path": ["canary-inside"]},
    "api_token": "canary-token",
    "text": "login with canary-key",
    "length": 7,
}
CONTEXT = {
    "devices": [{"hostname": "r1", "password": "canary-password", "has_password": True}],
    "deviceGroups": [],
    "interfaces": [],
}
SECRETS = ("canary-key", "12345678", "canary-path", "canary-inside", "canary-token", "canary-password")


async def run(engine: DevEngine, worker: HttpWorker) -> str:
    """Have a job run that repeats its secrets, and return its id."""
    await worker.register_block({**MARKED, "workerId": worker.uuid})
    job_id = engine.submit(block=BLOCK, parameters=PARAMETERS, context=CONTEXT)
    status, (item,) = await worker.poll()
    assert (status, item["parameters"], item["context"]) == (201, PARAMETERS, CONTEXT), "a poll masks nothing"
    data = {"said": [*SECRETS, 12345678], "canary-key": 1, "text": "hello"}
    assert (await worker.push(job_id, message="used canary-key", data=data))[0] == 201
    return job_id


async def test_the_answers_about_one_job_are_without_its_secrets(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = await run(engine, worker)
    _, shown = await worker.call("GET", f"/dev/jobs/{job_id}")
    assert shown["parameters"] == {
        "key": "***",
        "hosts": [{"name": "r1", "pin": "***"}],
        "vault": "***",
        "api_token": "***",
        "text": "login with ***",
        "length": 7,
    }
    assert shown["context"]["devices"] == [{"hostname": "r1", "password": "***", "has_password": True}]
    assert shown["result"]["result"] == {
        "success": True,
        "message": "used ***",
        "data": {"said": ["***"] * 7, "***": 1, "text": "hello"},
    }
    assert shown["resultMessage"] == "used ***"
    _, result = await worker.call("GET", f"/blackboard/jobs/{job_id}/result")
    assert (result["message"], result["data"]["text"]) == ("used ***", "hello")
    assert not [secret for secret in SECRETS if secret in json.dumps([shown, result])]


async def test_earlier_attempts_are_masked_as_well() -> None:
    async with (
        running_engine(max_attempts=2) as engine,
        HttpWorker(engine.url, engine.token_file) as worker,
    ):
        await worker.register({**MARKED, "isIdempotent": True})
        job_id = engine.submit(block=BLOCK, parameters=PARAMETERS)
        await worker.poll()
        await worker.push(job_id, success=False, message="canary-key was refused", retryable=True)
        _, shown = await worker.call("GET", f"/dev/jobs/{job_id}")
        (earlier,) = shown["earlierAttempts"]
        assert earlier["result"]["result"]["message"] == "*** was refused"


def patch(path: str, value: object) -> dict[str, Any]:
    return {"operation": "patch", "entity": "device", "id": 1, "path": path, "value": value}


NEW = ("canary-new", 'canary-enable"\\ü', "canary-of-another")
UPDATES: list[dict[str, Any]] = [
    {"operation": "create", "entity": "device", "id": 9, "data": {"hostname": "r9", "password": NEW[2]}},
    {"operation": "delete", "entity": "device", "id": 2},
    patch("password", NEW[0]),
    patch("vendor", f"by {NEW[0]}"),
    patch("connection_options", json.dumps({"port": 22, "enable_secret": NEW[1], "host": NEW[1]})),
    patch("facts", {"pin": 7, "api_token": "abc"}),
    patch("user_pass", None),
    {"operation": "patch", "entity": "device", "id": 1, "path": "model"},
]


async def test_a_password_that_a_block_has_set_is_shown_neither_in_the_updates_nor_anywhere_else(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK, parameters={"text": f"not {NEW[0]}"})
    await worker.poll()
    sent: dict[str, Any] = {
        "message": f"set {NEW[0]}",
        "data": {"said": [*NEW]},
        "dbUpdates": {"updates": UPDATES},
    }
    assert (await worker.push(job_id, **sent))[0] == 201
    _, shown = await worker.call("GET", f"/dev/jobs/{job_id}")
    created, deleted, password, vendor, options, *others = shown["result"]["result"]["dbUpdates"]["updates"]
    assert created == {**UPDATES[0], "data": {"hostname": "r9", "password": "***"}}
    assert (password, vendor, deleted) == (patch("password", "***"), patch("vendor", "by ***"), UPDATES[1])
    assert json.loads(options["value"]) == {"port": 22, "enable_secret": "***", "host": "***"}
    assert others == [patch("facts", {"pin": 7, "api_token": "***"}), *UPDATES[6:]]
    _, result = await worker.call("GET", f"/blackboard/jobs/{job_id}/result")
    assert (result["message"], result["data"], shown["parameters"]) == (
        "set ***",
        {"said": ["***"] * 3},
        {"text": "not ***"},
    )
    assert "canary" not in json.dumps([shown, result])


async def test_no_list_holds_anything_that_came_with_a_job_or_its_result() -> None:
    async with (
        running_engine(test_controls=True) as engine,
        HttpWorker(engine.url, engine.token_file) as worker,
    ):
        await worker.register(ECHO)
        job = {"block": BLOCK, "parameters": {"text": "canary-1"}, "context": {"devices": ["canary-2"]}}
        await worker.call("POST", "/dev/jobs", [job, job])
        _, items = await worker.poll()
        await worker.push(items[0]["jobId"], message="canary-3", data={"text": "canary-4"})
        lists = ("/blackboard/jobs", "/blackboard/jobs/active", f"/workers/{worker.uuid}/jobs", "/workers")
        lists += ("/dev/requests", "/dev/logs", "/function-blocks/registrations/list?populateWorkers=true")
        for path in lists:
            status, answer = await worker.call("GET", path)
            assert (status, type(answer)) == (200, list), path
            assert "canary" not in json.dumps(answer), path


async def test_the_words_of_a_result_stay_where_a_secret_is_one_of_them(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK, parameters={"password": "success"})
    await worker.poll()
    await worker.push(job_id, message="a success")
    _, shown = await worker.call("GET", f"/dev/jobs/{job_id}")
    assert shown["result"]["status"] == "success"
    assert shown["result"]["result"] == {"success": True, "message": "a ***"}


@pytest.mark.parametrize("parameters", [None, 5, "text", ["a"], [[{"key": "canary-key"}]]])
async def test_parameters_of_any_shape_are_shown(
    engine: DevEngine, worker: HttpWorker, parameters: object
) -> None:
    await worker.register_block({**MARKED, "workerId": worker.uuid})
    engine.submit(block=BLOCK)
    engine.inject_raw_item({"jobId": "raw", "functionBlockId": BLOCK, "parameters": parameters})
    await worker.poll()
    status, shown = await worker.call("GET", "/dev/jobs/raw")
    assert (status, shown["parameters"]) == (200, parameters)


def test_short_values_and_flags_are_masked_where_they_stand_and_nowhere_else() -> None:
    mask = JobMask()
    assert mask.learn({"password": "abc", "pin": 1, "token": ""}, [("pin",)]) == {
        "password": "***",
        "pin": "***",
        "token": "",
    }
    assert mask.hide({"text": "abc 1", "count": 1}) == {"text": "abc 1", "count": 1}
    assert mask.learn({"a": None, "b": False}, [("a",), ("b",)]) == {"a": None, "b": "***"}


NAMES = (
    "pass",
    "user_pass",
    "userPass",
    "Enable-Pass",
    "compass",
    "bypass",
    "pass_count",
    "passwd",
    "API Key",
)


def test_names_are_secret_here_that_are_so_for_the_sdk() -> None:
    assert (masking.SECRET_NAME_PARTS, masking._PASS) == (sdk.masking.SECRET_NAME_PARTS, sdk.masking._PASS)
    secret = [name for name in NAMES if masking._is_secret_name(name)]
    assert secret == [name for name in NAMES if sdk.masking._is_built_in_name(name)]
    assert secret == ["pass", "user_pass", "userPass", "Enable-Pass", "passwd", "API Key"]


OPTIONS = [
    {"enable_secret": "canary-1", "jump_host": {"password": 'canary-2"\\ü', "port": 22}},
    [{"user_pass": "canary-1"}, {"connection_options": '{"token": "canary-2"}'}],
    {"secret": {"connectionOptions": '{"name": "canary-1"}'}},
]


@pytest.mark.parametrize("name", ["connectionOptions", "connection_options"])
@pytest.mark.parametrize("options", OPTIONS)
def test_no_secret_is_shown_that_the_sdk_finds_in_connection_options_as_a_text(
    name: str, options: object
) -> None:
    assert (masking._JSON_FIELDS, masking._MAX_JSON_LENGTH) == (
        sdk.sensitive._JSON_FIELDS,
        sdk.sensitive._MAX_JSON_LENGTH,
    )
    devices = [{name: json.dumps(options), "facts": {"connectionOptions": json.dumps({"note": options})}}]
    secrets = sdk.sensitive.collect_secrets(devices)
    assert [secret for secret in secrets if "canary" in secret]
    mask = JobMask()
    shown = [mask.hide(mask.learn(devices)), mask.hide({"said": sorted(secrets), "devices": devices})]
    assert "canary" not in json.dumps(shown)


def test_connection_options_stay_a_text_in_which_only_secrets_are_masked() -> None:
    mask = JobMask()
    text = '{"port": 2222, "enable_secret": "Very-Secret-9", "note": "Ü Very-Secret-9"}'
    learnt = mask.learn({"connectionOptions": text})
    assert json.loads(mask.hide(learnt)["connectionOptions"]) == {
        "port": 2222,
        "enable_secret": "***",
        "note": "Ü ***",
    }


@pytest.mark.parametrize(
    "text", ["", "{", '"password"', "22", "null", '{"password": "' + "x" * 65_536 + '"}']
)
def test_a_text_that_the_sdk_does_not_look_into_is_shown_as_it_is(text: str) -> None:
    mask = JobMask()
    document = {"connectionOptions": text}
    assert not sdk.sensitive.collect_secrets(document)
    assert mask.hide(mask.learn(document)) == document


def test_a_text_that_is_nested_too_deep_to_be_looked_through_is_not_shown() -> None:
    mask = JobMask()
    text = "[" * 700 + '{"password": "Very-Secret-9"}' + "]" * 700
    assert mask.hide(mask.learn({"connectionOptions": text})) == {"connectionOptions": "***"}


def test_options_that_a_block_has_marked_are_secret_with_all_that_stands_in_them() -> None:
    mask = JobMask()
    document = {"connectionOptions": '{"host": "canary-host"}'}
    assert mask.learn(document, [("connectionOptions",)]) == {"connectionOptions": "***"}
    assert mask.hide([document["connectionOptions"], "canary-host"]) == ["***", "***"]


def test_of_secrets_that_begin_alike_the_longest_is_taken_out_first() -> None:
    mask = JobMask()
    mask.learn({"passwords": ["made-up-secret", "made-up-secret-of-another", "made-u"]})
    assert mask.hide("made-up-secret-of-another, made-up-secret; made-us") == "***, ***; ***s"


async def test_what_a_jobs_secrets_are_is_made_ready_once_for_all_its_documents(
    engine: DevEngine, worker: HttpWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    class Counted(masking._Known):
        def __init__(self, texts: Iterable[str]) -> None:
            super().__init__(texts)
            made.append(self)

    monkeypatch.setattr(masking, "_Known", Counted)
    await worker.register_block({**MARKED, "workerId": worker.uuid})
    job_id = engine.submit(block=BLOCK, parameters={"key": "canary-key", "note": "canary-key"})
    _, shown = await worker.call("GET", f"/dev/jobs/{job_id}")
    assert shown["parameters"]["note"] == "***"
    assert len(made) == 1


def test_a_secret_that_is_learnt_later_is_hidden_too() -> None:
    mask = JobMask()
    mask.learn({"password": "made-up-first"})
    assert mask.hide("made-up-first made-up-second") == "*** made-up-second"
    mask.learn({"password": "made-up-second"})
    assert mask.hide("made-up-first made-up-second") == "*** ***"


async def test_a_look_without_the_input_searches_nothing_until_there_is_a_result_and_shows_no_secret_then(
    engine: DevEngine, worker: HttpWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`supervisor submit --wait` looks again and again, and to search a context of 10 MB takes a second."""
    searched: list[Any] = []
    learn = JobMask.learn

    def counted(mask: JobMask, value: Any, *paths: Any) -> Any:
        searched.append(value)
        return learn(mask, value, *paths)

    monkeypatch.setattr(JobMask, "learn", counted)
    ended = await run(engine, worker)
    waits = engine.submit(block=BLOCK, parameters=PARAMETERS, context=CONTEXT)
    _, shown = await worker.call("GET", f"/dev/jobs/{waits}?withoutInput=true")
    assert (shown["status"], shown["waitsFor"], shown["result"]) == ("pending", "slot", None)
    assert not searched
    _, whole = await worker.call("GET", f"/dev/jobs/{ended}")
    _, shown = await worker.call("GET", f"/dev/jobs/{ended}?withoutInput=true")
    assert shown == {key: value for key, value in whole.items() if key not in ("parameters", "context")}
