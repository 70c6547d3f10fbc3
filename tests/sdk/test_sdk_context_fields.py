"""Fields that are copied, and compared, without the model: the same as with it."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.context.fields import copied_fields, is_untouched_entity
from sdk.context.kinds import KINDS, Kind
from sdk.entities import DeviceEntity, Platform
from sdk.entities.references import EntityReference

_JSON = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 0.5, "", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(st.sampled_from(["a", "b"]), _JSON, max_size=2)
_REFERENCES = st.fixed_dictionaries({}, optional={"id": st.just(3), "name": st.just("x"), "new": _JSON})
_TIMES = st.just("2026-01-02T03:04:05Z")
_ENTITIES = st.fixed_dictionaries(
    {"id": st.integers(1, 9) | st.just(5.0)},
    optional={
        "createdAt": _TIMES,
        "name": st.none() | st.just("x"),
        "hostname": st.none() | st.just("x"),
        "facts": st.none() | _OBJECTS,
        "checks": _JSON,
        "platform": _REFERENCES,
        "device": _REFERENCES,
        "devices": st.lists(_REFERENCES, max_size=2),
        "permissionFlags": st.just(["a"]),
        "someThingNew": _JSON,
    },
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.entity_type))
@given(raw=_ENTITIES)
def test_copied_fields_are_those_that_the_model_dumps(kind: Kind, raw: dict[str, Any]) -> None:
    entity = kind.model.model_validate(_fitting(kind, raw))
    dumped = entity.model_dump(by_alias=False)
    fields = copied_fields(entity, kind.model)
    assert repr(sorted((fields or {}).items())) == repr(sorted(dumped.items()))
    if "0.5" not in repr(dumped):
        assert is_untouched_entity(fields or {}, entity, kind.model)


def _fitting(kind: Kind, raw: dict[str, Any]) -> dict[str, Any]:
    """Of two kinds the devices are references, of the third an unknown field."""
    return raw if "devices" in kind.model.model_fields else {**raw, "devices": None}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.entity_type))
def test_what_is_not_set_can_not_change_in_place(kind: Kind) -> None:
    assert {field.default for name, field in kind.model.model_fields.items() if name != "id"} == {None}


def _device() -> DeviceEntity:
    return DeviceEntity.model_validate(
        {
            "id": 1,
            "hostname": "a",
            "vendor": None,
            "platform": {"id": 3, "newer": {"a": []}},
            "groups": [{"id": 4}],
            "facts": {"a": {"b": [1]}, "one": 1},
            "unknown": [{"a": 1}],
        }
    )


def _set(name: str, value: Any) -> Callable[[DeviceEntity], Any]:
    return lambda device: setattr(device, name, value)


_CHANGES: list[Callable[[Any], Any]] = [
    _set("hostname", "b"),
    _set("hostname", None),
    _set("vendor", "Acme"),
    _set("serial", "of a field that was not there"),
    _set("facts", {}),
    _set("unknown", []),
    _set("platform", Platform(id=4)),
    lambda device: device.facts["a"]["b"].append(2),
    lambda device: device.facts.update(one=True),
    lambda device: device.facts.update(one=1.0),
    lambda device: device.facts.update(more=math.nan),
    lambda device: setattr(device.platform, "name", "x"),
    lambda device: device.platform.model_extra["newer"]["a"].append(1),
    lambda device: device.groups.append(EntityReference(id=5)),
    lambda device: setattr(device.groups[0], "id", 5),
    lambda device: device.unknown[0].update(a=2),
    lambda device: object.__setattr__(device, "model", "past the model"),
    lambda device: device.facts.update(a=object()),
]


@pytest.mark.parametrize("change", _CHANGES)
def test_each_change_is_seen_wherever_it_is(change: Callable[[DeviceEntity], Any]) -> None:
    device = _device()
    before = copied_fields(device, DeviceEntity)
    assert before is not None
    assert is_untouched_entity(before, device, DeviceEntity)
    change(device)
    assert not is_untouched_entity(before, device, DeviceEntity)


def test_what_only_a_model_can_dump_is_left_to_it() -> None:
    class Derived(DeviceEntity):
        """Of an author's own."""

    assert copied_fields(Derived(id=1), DeviceEntity) is None
    assert copied_fields(DeviceEntity(id=1, facts={"a": {1, 2}}), DeviceEntity) is None
    endless: list[Any] = []
    endless.append(endless)
    device = DeviceEntity(id=1)
    object.__setattr__(device, "facts", {"a": endless})
    device.model_fields_set.add("facts")
    assert copied_fields(device, DeviceEntity) is None
