"""What may be registered as a block: grammar, fields, and schemas that do not break what is stored."""

import json
from typing import Any

import pytest
from devengine_support import ECHO, HttpWorker, running_engine

from sdk.devengine import DevEngine


def schema(*names: str, required: tuple[str, ...] = (), **types: str) -> dict[str, Any]:
    properties = {name: {"type": types.get(name, "string")} for name in names}
    return {"type": "object", "properties": properties, "required": list(required)}


def block(version: str = "1.0.0", **changes: Any) -> dict[str, Any]:
    major, minor, patch = map(int, version.split("."))
    return {**ECHO, "majorVersion": major, "minorVersion": minor, "patchVersion": patch, **changes}


async def test_registering_the_same_block_twice_is_fine_and_adds_the_worker(
    engine: DevEngine, worker: HttpWorker
) -> None:
    first = worker.uuid
    second = await worker.register(ECHO)
    (registration,) = engine.registrations()
    assert registration.worker_ids == (first, second)


async def test_the_stored_body_is_what_was_sent(engine: DevEngine, worker: HttpWorker) -> None:
    (registration,) = engine.registrations()
    assert registration.body == ECHO


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fbType": "other"}, "fbType"),
        ({"markdownHelpText": "x" * 256}, "markdownHelpText"),
        ({"parameterJsonSchema": []}, "parameterJsonSchema"),
        ({"resultDataJsonSchema": None}, "resultDataJsonSchema"),
        ({"majorVersion": -1}, "majorVersion"),
        ({"minorVersion": 1.5}, "minorVersion"),
        ({"patchVersion": "0"}, "patchVersion"),
        ({"isPure": "yes"}, "isPure"),
        ({"description": None}, "description"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"package": "a:b"}, "package"),
        ({"package": "a-b"}, "package"),
        ({"name": "a-b"}, "name"),
        ({"workerId": "unknown"}, "workerId"),
    ],
)
async def test_a_registration_with_a_wrong_field_is_refused_and_the_field_is_named(
    engine: DevEngine, worker: HttpWorker, change: dict[str, Any], field: str
) -> None:
    status, answer = await worker.register_block({**block("9.0.0"), **change})
    assert status == 400
    assert field in json.dumps(answer["message"])
    assert len(engine.registrations()) == 1


async def test_a_missing_schema_is_refused(worker: HttpWorker) -> None:
    body = {key: value for key, value in ECHO.items() if key != "parameterJsonSchema"}
    assert (await worker.register_block(body))[0] == 400


async def test_hyphens_are_allowed_in_the_newer_grammar_only() -> None:
    async with (
        running_engine(id_grammar="0.43") as engine,
        HttpWorker(engine.url, engine.token_file) as worker,
    ):
        assert (await worker.register_block(block(name="a-b", package="c-d")))[0] == 201
        assert (await worker.register_block(block(name="a:b")))[0] == 400
        assert (await worker.call("GET", "/version"))[1] == {"version": "0.43.0-beta.8"}


COMPATIBLE = [
    ("1.0.0", {"parameterJsonSchema": schema("text")}, "a parameter that is required no more"),
    (
        "1.0.0",
        {"parameterJsonSchema": schema("text", "more", required=("text",))},
        "a new optional parameter",
    ),
    ("1.0.0", {"resultDataJsonSchema": schema("text", "more")}, "a new result field"),
    ("2.0.0", {"parameterJsonSchema": schema("new", required=("new",))}, "another major version"),
    ("2.0.0", {"resultDataJsonSchema": schema("new")}, "another major version with other results"),
]
INCOMPATIBLE = [
    (
        "1.0.0",
        {"parameterJsonSchema": schema("text", "new", required=("text", "new"))},
        "newly required: new",
    ),
    ("1.0.1", {"parameterJsonSchema": schema("new", required=("new",))}, "newly required: new"),
    ("1.1.0", {"parameterJsonSchema": schema("new", required=("new",))}, "newly required: new"),
    ("1.0.0", {"resultDataJsonSchema": schema("other")}, "missing: text"),
    ("1.2.0", {"resultDataJsonSchema": schema()}, "missing: text"),
    ("1.0.0", {"resultDataJsonSchema": schema("text", text="integer")}, "another type: text"),
]


@pytest.mark.parametrize(("version", "change", "_why"), COMPATIBLE, ids=[case[2] for case in COMPATIBLE])
async def test_a_change_that_breaks_nobody_is_registered(
    worker: HttpWorker, version: str, change: dict[str, Any], _why: str
) -> None:
    assert await worker.register_block(block(version, **change)) == (201, None)


@pytest.mark.parametrize(("version", "change", "reason"), INCOMPATIBLE)
async def test_a_change_that_breaks_workflows_is_refused(
    engine: DevEngine, worker: HttpWorker, version: str, change: dict[str, Any], reason: str
) -> None:
    before = engine.registrations()
    status, answer = await worker.register_block(block(version, **change))
    kind, _, name = reason.partition(": ")
    assert status == 400
    assert kind.split()[0] in answer["message"][1]
    assert answer["message"][1].endswith(name)
    assert engine.registrations() == before


async def test_where_an_author_is_still_writing_any_change_is_registered() -> None:
    async with (
        running_engine(schemas_may_change=True) as engine,
        HttpWorker(engine.url, engine.token_file) as worker,
    ):
        await worker.register(ECHO)
        for version, change, _ in INCOMPATIBLE:
            assert (await worker.register_block(block(version, **change)))[0] == 201
        found = {str(record.block): record.body for record in engine.registrations()}
        assert found["{package}/{name}:1.0.0".format(**ECHO)]["resultDataJsonSchema"] == schema(
            "text", text="integer"
        )


async def test_a_new_patch_is_held_against_the_latest_of_its_minor_and_major(worker: HttpWorker) -> None:
    wider = {"resultDataJsonSchema": schema("text", "more")}
    assert (await worker.register_block(block("1.4.2", **wider)))[0] == 201
    assert (await worker.register_block(block("1.4.3")))[0] == 400
    assert (await worker.register_block(block("1.5.0")))[0] == 400
    assert (await worker.register_block(block("1.0.1")))[0] == 400, "the latest minor of the major has `more`"
    assert (await worker.register_block(block("1.5.0", **wider)))[0] == 201


async def test_registrations_can_be_looked_up_by_version_prefix(worker: HttpWorker) -> None:
    for version in ("1.0.9", "1.0.10", "1.2.0"):
        await worker.register_block(block(version))
    found = {}
    for version in ("1", "1.0", "1.0.9", "3"):
        status, answer = await worker.call("GET", f"/function-blocks/lab/echo/{version}")
        found[version] = answer["id"] if status == 200 else status
    assert found == {"1": "lab/echo:1.2.0", "1.0": "lab/echo:1.0.10", "1.0.9": "lab/echo:1.0.9", "3": 404}


async def test_the_list_can_name_the_workers_and_be_narrowed(worker: HttpWorker) -> None:
    await worker.register_block(block(name="other"))
    _, listed = await worker.call("GET", "/function-blocks/registrations/list?populateWorkers=true&name=echo")
    assert [(item["id"], [found["uuid"] for found in item["workers"]]) for item in listed] == [
        ("lab/echo:1.0.0", [worker.uuid])
    ]
    _, both = await worker.call("GET", "/function-blocks/registrations/list")
    assert [(item["functionBlock"]["id"], "workers" in item) for item in both] == [
        ("lab/echo:1.0.0", False),
        ("lab/other:1.0.0", False),
    ]
