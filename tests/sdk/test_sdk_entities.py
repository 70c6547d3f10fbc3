"""Entities as the engine sends them and as a block creates them."""

from enum import Enum
from typing import Any

import pytest
from neops_workflow_engine_client import DeviceGroupTypeDto, DeviceTypeDto, InterfaceTypeDto
from pydantic import BaseModel, ValidationError
from sdk_support import PASSWORD, device_json

from sdk import (
    Device,
    DeviceEntity,
    DeviceField,
    DeviceGroup,
    DeviceGroupEntity,
    DeviceReference,
    GroupField,
    Interface,
    InterfaceEntity,
    InterfaceField,
    Platform,
)
from sdk.entities.temporary_ids import new_temporary_id

PAIRS = [
    (DeviceEntity, DeviceTypeDto),
    (InterfaceEntity, InterfaceTypeDto),
    (DeviceGroupEntity, DeviceGroupTypeDto),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda model: model.__name__)
def test_our_models_have_the_fields_and_aliases_of_the_generated_clients(
    ours: type[BaseModel], theirs: type[BaseModel]
) -> None:
    def aliases(model: type[BaseModel]) -> dict[str, str]:
        return {name: field.alias or name for name, field in model.model_fields.items()}

    assert aliases(ours) == aliases(theirs)


def test_keys_are_camel_case_on_the_wire_and_attributes_snake_case() -> None:
    device = DeviceEntity.model_validate(device_json())
    assert device.software_release == "15.1"
    assert device.platform is not None
    assert device.platform.short_name == "ios"
    assert DeviceEntity(id=1, software_release="16").software_release == "16"


def test_only_the_id_is_required_and_unknown_keys_are_kept() -> None:
    assert DeviceEntity.model_validate({"id": 1}).hostname is None
    assert DeviceEntity.model_validate(device_json()).newInEngine99 == "kept"


def test_integers_stay_integers() -> None:
    interface = InterfaceEntity.model_validate({"id": 1, "ifindex": 3, "clientCount": 2.5, "facts": {"a": 0}})
    assert [repr(value) for value in (interface.ifindex, interface.client_count, interface.facts)] == [
        "3",
        "2.5",
        "{'a': 0}",
    ]


def test_no_secret_shows_in_the_representation() -> None:
    device = DeviceEntity.model_validate(
        device_json(connectionOptions=PASSWORD, currentConfiguration=PASSWORD, newSecret=PASSWORD)
    )
    assert "hostname='r1'" in repr(device)
    assert PASSWORD not in repr(device) + str(device)


def test_an_attribute_that_does_not_exist_can_not_be_set() -> None:
    device = DeviceEntity(id=1)
    with pytest.raises(AttributeError, match="no field 'hostnam'"):
        device.hostnam = "r1"


def test_the_id_can_not_be_changed() -> None:
    with pytest.raises(ValidationError):
        DeviceEntity(id=1).id = 2


def test_a_value_of_the_wrong_type_is_refused_where_it_is_assigned_and_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        DeviceEntity(id=1).password = [PASSWORD]
    assert PASSWORD not in str(caught.value)


MAKERS: list[tuple[Any, Any]] = [
    (Device, DeviceField.hostname),
    (Interface, InterfaceField.name),
    (DeviceGroup, GroupField.name),
]


@pytest.mark.parametrize(("maker", "field"), MAKERS, ids=str)
def test_the_two_creation_options_go_together(maker: Any, field: Any) -> None:
    assert maker(skip_if_identifier_exists=True, identifier_fields=[field]).identifier_fields == [field]
    assert maker(skip_if_identifier_exists=False, identifier_fields=[]).id
    for skip, fields in [(True, []), (False, [field])]:
        with pytest.raises(ValidationError, match="go together"):
            maker(skip_if_identifier_exists=skip, identifier_fields=fields)


@pytest.mark.parametrize(("maker", "field"), MAKERS, ids=str)
def test_both_creation_options_are_mandatory(maker: Any, field: Any) -> None:
    for options in ({}, {"skip_if_identifier_exists": False}, {"identifier_fields": []}):
        with pytest.raises(ValidationError):
            maker(**options)


@pytest.mark.parametrize(("maker", "field"), MAKERS, ids=str)
def test_an_identifier_field_must_be_one_the_cms_can_search(maker: Any, field: Any) -> None:
    with pytest.raises(ValidationError):
        maker(skip_if_identifier_exists=True, identifier_fields=["serial"])


@pytest.mark.parametrize("enum", [DeviceField, InterfaceField, GroupField])
def test_each_identifier_field_is_a_field_of_its_entity(enum: type[Enum]) -> None:
    model = {DeviceField: Device, InterfaceField: Interface, GroupField: DeviceGroup}[enum]
    assert {member.value for member in enum} <= set(model.model_fields)


def test_a_misspelt_field_of_a_new_entity_is_refused() -> None:
    with pytest.raises(ValidationError, match="hostnam"):
        Device(hostnam="x", skip_if_identifier_exists=False, identifier_fields=[])


def test_new_entities_have_different_temporary_ids_above_those_of_the_cms() -> None:
    ids = {new_temporary_id() for _ in range(1000)}
    ids |= {Device(skip_if_identifier_exists=False, identifier_fields=[]).id for _ in range(100)}
    assert len(ids) == 1100
    assert all(10_000_000 <= each < 2**31 for each in ids)


def test_references_are_written_without_nulls() -> None:
    device = Device(
        platform=Platform(short_name="ios"), skip_if_identifier_exists=False, identifier_fields=[]
    )
    interface = Interface(
        device=DeviceReference(hostname="r1"), skip_if_identifier_exists=False, identifier_fields=[]
    )
    assert device.model_dump()["platform"] == {"short_name": "ios"}
    assert interface.model_dump()["device"] == {"hostname": "r1"}


class InterfaceStatus(Enum):
    UP = "up"
    DOWN = "down"
    DISABLED = "disabled"
    ERROR_DISABLED = "error_disabled"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (InterfaceStatus.UP, "UP"),
        (InterfaceStatus.DOWN, "DOWN"),
        (InterfaceStatus.DISABLED, "DOWN"),
        (InterfaceStatus.ERROR_DISABLED, "ERROR_DISABLED"),
        ("error-disabled", "ERROR_DISABLED"),
        ("admin-disabled", "DOWN"),
        (" Up ", "UP"),
        (None, "DOWN"),
    ],
)
def test_a_devices_status_becomes_a_state_the_cms_can_store(status: Any, state: str) -> None:
    assert Interface.state_from_status(status) == state


def test_a_status_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="'flapping' is not known"):
        Interface.state_from_status("flapping")
