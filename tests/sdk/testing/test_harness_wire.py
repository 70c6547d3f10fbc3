"""Parameters and contexts of a test, as the engine would send them."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, RootModel, SecretStr

from sdk import DeviceEntity, FunctionBlockParams, WorkflowContext
from sdk.errors import EncodingError, EntityNotInContextError
from sdk.testing import create_workflow_context
from sdk.testing.wire import context_of, parameters_of


class Inner(BaseModel):
    token: SecretStr
    renamed: int = Field(default=0, alias="camelCase")


class Names(RootModel[list[str]]):
    pass


class SomeParams(FunctionBlockParams):
    when: datetime
    inner: Inner
    names: Names = Names([])
    many: list[Inner] = Field(default_factory=list)
    left: Annotated[int, Field(validation_alias="leftOver")] = 1


def test_parameters_are_sent_by_alias_with_secrets_in_clear_and_without_defaults() -> None:
    inner = Inner(token=SecretStr("open-sesame"), camelCase=3)
    params = SomeParams(when=datetime(2026, 1, 2, tzinfo=UTC), inner=inner, names=Names(["a"]), leftOver=2)
    sent = parameters_of(params)
    assert sent == {
        "when": "2026-01-02T00:00:00+00:00",
        "inner": {"token": "open-sesame", "camelCase": 3},
        "names": ["a"],
        "leftOver": 2,
    }
    assert SomeParams.model_validate(sent) == params


def test_a_dict_is_sent_as_it_is() -> None:
    sent = {"text": "{{ expression }}", "list": [1, 2.0, None]}
    assert parameters_of(sent) == sent
    assert parameters_of(None) == {}


def test_parameters_that_are_no_json_are_refused_with_their_path() -> None:
    with pytest.raises(EncodingError, match=r"params\.thing"):
        parameters_of({"thing": object()})


def test_a_context_with_values_of_other_types_is_sent_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    facts: Any = {10: "users"}
    device = DeviceEntity(id=1).model_copy(update={"facts": facts})
    assert context_of({"devices": [device]})["devices"][0]["facts"] == {"10": "users"}
    assert list(recwarn) == []


def test_a_context_is_sent_with_the_engine_s_keys() -> None:
    device = DeviceEntity(id=1, software_release="17.3", facts={"a": None})
    context = create_workflow_context("device", devices=[device], interfaces=[{"id": 2, "name": "Gi0"}])
    sent = context_of(context)
    assert Counter(sent.keys()) == Counter(["devices", "deviceGroups", "interfaces"])
    assert (sent["devices"][0]["softwareRelease"], sent["devices"][0]["facts"]) == ("17.3", {"a": None})
    assert sent["interfaces"][0]["name"] == "Gi0"
    again = WorkflowContext.from_job(sent, "device", 1)
    assert again.devices == context.devices


@pytest.mark.parametrize("key", ["deviceGroups", "device_groups"])
def test_a_context_given_as_a_dict_may_hold_entities_and_python_names(key: str) -> None:
    sent = context_of({"devices": [DeviceEntity(id=1)], key: [{"id": 4}]})
    assert (sent["devices"][0]["id"], sent["deviceGroups"]) == (1, [{"id": 4}])


@pytest.mark.parametrize("devices", [[DeviceEntity(id=5)], [{"id": 5}], iter([DeviceEntity(id=5)])])
def test_the_only_entity_is_what_a_job_runs_on(devices: Any) -> None:
    context = create_workflow_context("device", devices=devices)
    assert (context.entity_id, context.device is not None) == (5, True)


def test_of_several_entities_one_has_to_be_named() -> None:
    devices = [DeviceEntity(id=5), DeviceEntity(id=6)]
    with pytest.raises(EntityNotInContextError):
        create_workflow_context("device", devices=devices)
    assert create_workflow_context("device", 6, devices).entity_id == 6
    assert create_workflow_context("global", devices=devices).entity_id is None
