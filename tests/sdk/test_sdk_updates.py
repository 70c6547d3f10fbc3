"""What a block changed, as the engine takes it."""

import copy
import json
import logging
import math
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neops_workflow_engine_client import DeviceGroupTypeDto, DeviceTypeDto
from pydantic import BaseModel
from sdk_support import context_json, device_context, device_json

from sdk import (
    Device,
    DeviceEntity,
    DeviceField,
    DeviceReference,
    EntityReference,
    Interface,
    InterfaceField,
    Platform,
    WorkflowContext,
)
from sdk.context.changes import READ_ONLY_FIELDS
from sdk.context.fields import is_untouched
from sdk.errors import ContextError, EncodingError


def own_device(context: WorkflowContext) -> DeviceEntity:
    assert context.device is not None
    return context.device


def patches(context: WorkflowContext) -> dict[str, Any]:
    updates = context.compute_db_updates()
    assert all(update["operation"] == "patch" for update in updates)
    return {update["path"]: update["value"] for update in updates}


def test_nothing_changed_is_no_update_and_no_warning() -> None:
    context = device_context()
    assert (context.compute_db_updates(), context.warnings) == ([], [])


def test_a_changed_field_is_a_patch_with_its_snake_case_name_and_whole_value() -> None:
    context = device_context()
    device = own_device(context)
    device.software_release = "16.2"
    assert device.facts is not None
    device.facts["nested"]["a"].append(2)
    assert context.compute_db_updates() == [
        {"operation": "patch", "entity": "device", "id": 5, "path": "software_release", "value": "16.2"},
        {
            "operation": "patch",
            "entity": "device",
            "id": 5,
            "path": "facts",
            "value": {"uptime": 7, "nested": {"a": [1, None, 2]}},
        },
    ]


def test_a_field_set_to_none_is_a_patch_to_null() -> None:
    context = device_context()
    own_device(context).hostname = None
    assert patches(context) == {"hostname": None}


@pytest.mark.parametrize("value", [7.0, True, "7", None])
def test_a_value_that_only_python_holds_for_equal_is_a_change(value: Any) -> None:
    context = device_context(devices=[device_json(facts={"x": 1 if value is True else 7})])
    device = own_device(context)
    assert device.facts is not None
    device.facts["x"] = value
    (found,) = patches(context).values()
    assert repr(found) == repr({"x": value})


JSON = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 0.0, 1.0, -0.0, "", "1", math.nan]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)


@given(JSON, JSON)
def test_what_is_held_for_untouched_at_once_is_the_same_json(before: Any, after: Any) -> None:
    for one, other in ((before, after), (before, copy.deepcopy(before))):
        if is_untouched(one, other):
            assert json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert is_untouched(before, copy.deepcopy(before)) == (
        "." not in json.dumps(before) and "NaN" not in json.dumps(before)
    )


def test_integers_stay_integers() -> None:
    context = device_context()
    context.interfaces[0].ifindex = 0
    assert repr(patches(context)) == "{'ifindex': 0}"


def test_the_order_of_keys_is_no_change() -> None:
    context = device_context()
    device = own_device(context)
    assert device.facts is not None
    device.facts = dict(reversed(device.facts.items()))
    assert context.compute_db_updates() == []


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_order_of_keys_is_no_change_where_a_fraction_has_all_of_it_compared(
    names: tuple[str, ...],
) -> None:
    context = device_context(devices=[device_json(facts=dict.fromkeys(names, 0.5))])
    device = own_device(context)
    assert device.facts is not None
    device.facts = dict(reversed(device.facts.items()))
    assert context.compute_db_updates() == []


def test_values_that_json_has_no_type_for_are_written_as_text() -> None:
    context = device_context()
    own_device(context).facts = {"seen": datetime(2026, 1, 2, tzinfo=UTC), "ids": {2, 1}}
    assert patches(context) == {"facts": {"seen": "2026-01-02T00:00:00+00:00", "ids": [1, 2]}}


@pytest.mark.parametrize("foreign", [False, True])
def test_a_value_that_is_not_of_a_fields_type_is_sent_without_a_warning_that_prints_it(
    foreign: bool, recwarn: pytest.WarningsRecorder
) -> None:
    context = device_context()
    device: Any = own_device(context)
    if foreign:
        context.devices[0] = device = DeviceTypeDto.from_dict(device_json(password="12345678"))
    device.facts[10] = "users"
    context.devices[0] = device.model_copy(update={"password": 87654321})
    found = patches(context)
    assert (found["facts"]["10"], found["password"]) == ("users", 87654321)
    assert list(recwarn) == []


def test_a_value_that_can_not_be_written_is_an_error_with_its_path() -> None:
    context = device_context()
    own_device(context).facts = {"load": math.nan}
    with pytest.raises(EncodingError) as caught:
        context.compute_db_updates()
    assert caught.value.path == "device 5: facts.load"


def test_updates_come_by_kind_then_operation_then_appearance() -> None:
    devices = [device_json(id=number, hostname=f"r{number}") for number in (9, 3, 7, 1)]
    context = WorkflowContext(context_json(devices=devices), "global")
    context.device_groups[0].title = "Core"
    context.interfaces[0].name = "Gi0/2"
    for number in (3, 0):
        context.devices[number].hostname = "new"
    del context.devices[1:3]
    for name in ("b", "a"):
        context.devices.append(
            Device(id=20 + ord(name), hostname=name, skip_if_identifier_exists=False, identifier_fields=[])
        )
    found = [(update["entity"], update["operation"], update["id"]) for update in context.compute_db_updates()]
    assert found == [
        ("device", "create", 20 + ord("b")),
        ("device", "create", 20 + ord("a")),
        ("device", "delete", 3),
        ("device", "delete", 7),
        ("device", "patch", 9),
        ("device", "patch", 1),
        ("interface", "patch", 6),
        ("group", "patch", 8),
    ]


def test_a_new_entity_is_a_create_with_all_its_fields_and_its_temporary_id() -> None:
    context = WorkflowContext({}, "global")
    device = Device(
        hostname="r9",
        platform=Platform(short_name="ios"),
        skip_if_identifier_exists=True,
        identifier_fields=[DeviceField.hostname, DeviceField.ip],
    )
    context.devices.append(device)
    (create,) = context.compute_db_updates()
    data = create.pop("data")
    assert create == {
        "operation": "create",
        "entity": "device",
        "id": device.id,
        "skipIfIdentifierExists": True,
        "identifierFields": ["hostname", "ip"],
    }
    assert (data["id"], data["hostname"], data["platform"]) == (device.id, "r9", {"short_name": "ios"})
    assert data["software_release"] is None
    assert "skip_if_identifier_exists" not in data
    assert "identifier_fields" not in data


def test_a_new_interface_can_refer_to_a_new_device() -> None:
    context = WorkflowContext({}, "global")
    device = Device(hostname="r9", skip_if_identifier_exists=False, identifier_fields=[])
    interface = Interface(
        name="Gi0/1",
        device=DeviceReference(id=device.id),
        skip_if_identifier_exists=True,
        identifier_fields=[InterfaceField.name],
    )
    context.devices.append(device)
    context.interfaces.append(interface)
    first, second = context.compute_db_updates()
    assert second["data"]["device"] == {"id": first["id"]}
    assert "identifierFields" not in first


def test_a_model_of_another_package_can_be_appended() -> None:
    context = WorkflowContext({}, "global")
    context.device_groups.append(DeviceGroupTypeDto(id=77, name="edge"))
    (create,) = context.compute_db_updates()
    assert create["data"]["name"] == "edge"
    assert (create["id"], create["entity"]) == (77, "group")
    assert repr(create["data"]["id"]) == "77"
    assert create["skipIfIdentifierExists"] is False


def test_a_model_of_another_package_in_an_entitys_place_is_compared_field_by_field() -> None:
    context = device_context()
    raw = {key: value for key, value in device_json().items() if key != "newInEngine99"}
    context.devices[0] = DeviceTypeDto.from_dict(raw | {"hostname": "r2"})
    assert patches(context) == {"hostname": "r2"}


def test_a_model_of_another_package_that_ours_would_refuse_is_compared_as_it_is() -> None:
    class Foreign(BaseModel):
        id: int = 5
        hostname: list[str] = ["r2"]

    context = device_context()
    context.devices[0] = Foreign()  # type: ignore[call-overload]  # what an author may do
    assert patches(context) == {"hostname": ["r2"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [("is_read_locked", True), ("active_lock_counts", 3), ("created_at", datetime(2026, 1, 1, tzinfo=UTC))],
)
def test_a_write_to_a_read_only_field_is_not_sent_and_warned_of(
    field: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    context = device_context()
    setattr(own_device(context), field, value)
    assert context.compute_db_updates() == []
    (warning,) = context.warnings
    assert f"device 5: {field} is read-only" in warning
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        warning
    ]


def test_a_write_to_a_key_that_the_sdk_does_not_know_is_not_sent_and_warned_of() -> None:
    context = device_context()
    own_device(context).newInEngine99 = "changed"
    assert context.compute_db_updates() == []
    assert "newInEngine99" in context.warnings[0]


def test_every_field_that_the_peer_leaves_out_is_read_only() -> None:
    peer = """
        id created_at updated_at deleted_at first_seen_at inventory_updated_at device_count interface_count
        group_count client_count active_lock_counts is_read_locked is_write_locked permission permission_flags
        role_permissions
    """
    assert set(peer.split()) == READ_ONLY_FIELDS


def test_warnings_are_those_of_the_last_computation() -> None:
    context = device_context()
    own_device(context).is_read_locked = True
    context.compute_db_updates()
    context.compute_db_updates()
    assert len(context.warnings) == 1


def test_an_entity_that_is_twice_in_a_list_is_warned_of_and_the_last_one_counts() -> None:
    context = device_context()
    context.devices.append(own_device(context).model_copy(update={"hostname": "r2"}))
    assert patches(context) == {"hostname": "r2"}
    assert "device 5 is twice" in context.warnings[0]


def test_a_list_may_be_replaced_by_another() -> None:
    context = device_context()
    context.devices = [device for device in context.devices if device.id != 5]
    assert context.compute_db_updates() == [{"operation": "delete", "entity": "device", "id": 5}]


class Nameless(BaseModel):
    pass


@pytest.mark.parametrize(
    "wrong",
    [None, "r1", 5, [{"id": 9}], [None], [SimpleNamespace(id=9)], [Nameless()]],
    ids=repr,
)
def test_a_list_with_anything_but_entities_is_an_error_in_words(wrong: Any) -> None:
    context = device_context()
    context.devices = wrong
    with pytest.raises(ContextError, match=r"context\.devices"):
        context.compute_db_updates()


def test_references_that_were_not_touched_are_no_change() -> None:
    raw = device_json(
        groups=[{"id": 1, "name": "core", "createdAt": "2026-01-01T00:00:00Z"}], interfaces=[{"id": 6}]
    )
    context = device_context(devices=[raw])
    assert context.compute_db_updates() == []
    own_device(context).groups = [EntityReference(id=2)]
    assert patches(context) == {"groups": [{"id": 2}]}


@pytest.mark.parametrize("other", ["a", "c"])
def test_what_is_changed_by_context_device_is_sent_also_where_its_id_is_twice(other: str) -> None:
    devices = [{"id": 7, "hostname": other}, {"id": 7, "hostname": "a"}]
    context = WorkflowContext.from_job({"devices": devices}, "device", 7)
    own_device(context).hostname = "b"
    assert patches(context) == {"hostname": "b"}


def test_context_device_is_replaced_also_where_the_same_object_is_twice_in_the_list() -> None:
    context = device_context()
    context.devices.append(own_device(context))
    context.device = own_device(context).model_copy(update={"hostname": "r2"})
    assert own_device(context).hostname == "r2"
    assert patches(context) == {"hostname": "r2"}
