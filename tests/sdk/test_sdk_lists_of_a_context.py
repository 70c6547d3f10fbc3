"""The lists of a context hold entities alone; what is no entity is named with its place."""

from typing import Any

import pytest
from pydantic import BaseModel

from sdk.context.changes import checked_entities
from sdk.context.kinds import DEVICE
from sdk.entities import DeviceEntity
from sdk.errors import ContextError


class WithoutId(BaseModel):
    hostname: str = ""


class WithoutDump:
    id = 1


@pytest.mark.parametrize("stray", [WithoutId(), WithoutDump(), {"id": 1}, None])
def test_what_is_no_entity_is_refused_with_its_place(stray: Any) -> None:
    with pytest.raises(ContextError) as caught:
        checked_entities(DEVICE, [DeviceEntity(id=1), stray])
    assert f"context.devices[1] is a {type(stray).__name__}. Append entities only" in str(caught.value)


@pytest.mark.parametrize("entities", [None, {}, "x", iter(())])
def test_what_is_no_list_is_refused(entities: Any) -> None:
    with pytest.raises(ContextError, match="Keep it a list"):
        checked_entities(DEVICE, entities)


def test_a_list_and_a_tuple_of_entities_are_taken() -> None:
    devices = [DeviceEntity(id=1), DeviceEntity(id=2)]
    assert checked_entities(DEVICE, devices) == devices
    assert checked_entities(DEVICE, tuple(devices)) == tuple(devices)
