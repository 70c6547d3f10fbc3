"""What a block works on."""

from typing import Any

import pytest
from neops_workflow_engine_client import (
    DeviceGroupTypeDto,
    DeviceTypeDto,
    InterfaceTypeDto,
    JobExecutionContextDto,
)
from sdk_support import PASSWORD, context_json, device_context, device_json

from sdk import DeviceEntity, SdkError, WorkflowContext
from sdk.errors import ContextError, EntityNotInContextError


def test_the_lists_hold_what_the_job_brought() -> None:
    context = WorkflowContext.from_job(context_json(), "global", None)
    assert [device.hostname for device in context.devices] == ["r1"]
    assert [group.name for group in context.device_groups] == ["core"]
    assert [interface.name for interface in context.interfaces] == ["Gi0/1"]


@pytest.mark.parametrize(
    ("run_on", "entity_id", "attribute"),
    [("device", 5, "device"), ("interface", 6, "interface"), ("group", 8, "device_group")],
)
def test_the_jobs_own_entity_is_at_hand(run_on: str, entity_id: int, attribute: str) -> None:
    context = WorkflowContext.from_job(context_json(), run_on, entity_id)
    own = {name: getattr(context, name) for name in ("device", "interface", "device_group")}
    assert own.pop(attribute).id == entity_id
    assert set(own.values()) == {None}


@pytest.mark.parametrize("run_on", ["global", "client"])
def test_a_job_that_runs_on_no_entity_has_none(run_on: str) -> None:
    context = WorkflowContext(context_json(), run_on, None)
    assert (context.device, context.interface, context.device_group) == (None, None, None)


def test_an_id_that_came_as_a_float_finds_its_entity() -> None:
    context = WorkflowContext(context_json(devices=[device_json(id=5.0)]), "device", 5.0)
    assert context.device is not None
    assert repr(context.device.id) == "5"


@pytest.mark.parametrize(
    ("run_on", "entity_id", "kind"),
    [
        ("device", 99, "device"),
        ("interface", 5, "interface"),
        ("group", 1, "group"),
        ("device", None, "device"),
    ],
)
def test_an_entity_that_is_not_in_the_context_is_named(run_on: str, entity_id: int | None, kind: str) -> None:
    with pytest.raises(EntityNotInContextError) as caught:
        WorkflowContext(context_json(), run_on, entity_id)
    assert (caught.value.kind, caught.value.entity_id) == (kind, entity_id)
    assert kind in str(caught.value)
    assert isinstance(caught.value, SdkError)


def test_a_context_of_the_authors_own_is_not_blamed_on_the_engine() -> None:
    two = {"devices": [{"id": 1}, {"id": 2}]}
    with pytest.raises(
        EntityNotInContextError, match=r"in a test or by `--context`, say which one \(`entity_id=`"
    ):
        WorkflowContext(two, "device")
    with pytest.raises(EntityNotInContextError, match=r"in a test or by `--context`, put it there\."):
        WorkflowContext(two, "device", 3)
    with pytest.raises(EntityNotInContextError, match=r"has none\. .* or by `--context`, put one there\."):
        WorkflowContext({"devices": []}, "device")
    with pytest.raises(
        ContextError, match=r"devices\[0\] .* id: .* in a test or by `--context`, correct it\."
    ):
        WorkflowContext({"devices": [{"ip": "10.0.0.1"}]}, "device")


def test_a_word_for_run_on_that_is_not_known_is_refused() -> None:
    with pytest.raises(ContextError, match="'planet'"):
        WorkflowContext({}, "planet")


@pytest.mark.parametrize("context", [None, {}, {"devices": None}, {"devices": [], "deviceGroups": []}])
def test_lists_that_are_not_there_are_empty(context: Any) -> None:
    assert WorkflowContext.from_job(context, "global", None).devices == []


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        ({"devices": [device_json(), {"hostname": "x"}]}, "devices[1]"),
        ({"devices": [device_json(id=0)]}, "devices[0]"),
        ({"devices": [device_json(id="5")]}, "devices[0]"),
        ({"devices": [device_json(id=True)]}, "devices[0]"),
        ({"devices": [device_json(id=5.5)]}, "devices[0]"),
        ({"devices": [device_json(password={"in": PASSWORD})]}, "devices[0]"),
        ({"devices": [device_json(hostname=[PASSWORD])]}, "devices[0]"),
        ({"devices": [None]}, "devices[0]"),
        ({"deviceGroups": {"id": 1}}, "deviceGroups"),
        ({"interfaces": "none"}, "interfaces"),
        ([], "context"),
    ],
    ids=str,
)
def test_a_context_that_can_not_be_read_is_an_error_with_its_path_and_without_values(
    broken: Any, path: str
) -> None:
    with pytest.raises(ContextError) as caught:
        WorkflowContext(broken, "global")
    assert path in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_models_of_the_sdk_are_taken_as_they_are() -> None:
    device = DeviceEntity(id=5)
    context = WorkflowContext({"devices": [device]}, "device", 5)
    assert context.device is device


def test_the_generated_clients_models_are_taken_as_they_are() -> None:
    device = DeviceTypeDto(id=5, hostname="r1", facts={"a": 1})
    dto = JobExecutionContextDto(
        devices=[device], deviceGroups=[DeviceGroupTypeDto(id=8)], interfaces=[InterfaceTypeDto(id=6)]
    )
    context = WorkflowContext(dto, "device", 5)
    assert context.device is device
    assert context.compute_db_updates() == []
    device.facts = {"a": 2}
    (update,) = context.compute_db_updates()
    assert (update["path"], update["value"]) == ("facts", {"a": 2})


def test_another_object_for_the_jobs_entity_takes_its_place() -> None:
    context = device_context()
    assert context.device is not None
    other = context.device.model_copy(update={"hostname": "r2"}, deep=True)
    context.device = other
    assert context.devices == [other]
    assert [update["path"] for update in context.compute_db_updates()] == ["hostname"]


@pytest.mark.parametrize("other", [DeviceEntity(id=6), None, "r2"], ids=repr)
def test_the_jobs_entity_can_not_become_another_one(other: Any) -> None:
    context = device_context()
    with pytest.raises(ContextError, match=r"context\.device .* runs on device 5"):
        context.device = other
    assert context.compute_db_updates() == []


def test_a_job_that_runs_on_no_entity_can_not_be_given_one() -> None:
    context = WorkflowContext(context_json(), "global")
    with pytest.raises(ContextError, match=r"context\.device_group .* runs on global"):
        context.device_group = context.device_groups[0]


def test_an_entity_that_was_taken_out_is_not_at_hand_any_more() -> None:
    context = device_context()
    context.devices.clear()
    assert context.device is None


def test_the_contexts_secrets_are_those_it_came_with_and_those_it_has_now() -> None:
    context = device_context()
    assert context.device is not None
    context.device.password = "changed-horse"
    assert {PASSWORD, "changed-horse"} <= context.secrets()
