"""Parameters and contexts of a test, as the engine would send them."""

import dataclasses
from collections import Counter, deque
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel, SecretStr

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


class ByOtherNames(FunctionBlockParams):
    choice: int = Field(default=1, validation_alias=AliasChoices("enn", "number"))
    deep: int = Field(default=1, validation_alias=AliasPath("outer", "inner"))
    second: int = Field(default=1, validation_alias=AliasPath("row", 1))
    first: int = Field(default=1, validation_alias=AliasPath("row", 0))
    plain: int = Field(default=1, validation_alias=AliasChoices(AliasPath("outer", "other"), "simple"))
    generated: int = 1

    model_config = ConfigDict(alias_generator=str.upper)


class ByFieldName(FunctionBlockParams):
    renamed: int = Field(default=1, alias="camelCase")

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=False)


@pytest.mark.parametrize(
    "params",
    [
        ByOtherNames.model_validate(
            {"number": 2, "outer": {"inner": 3}, "row": [4, 5], "simple": 6, "GENERATED": 7}
        ),
        ByFieldName.model_validate({"renamed": 2}),
    ],
)
def test_a_block_gets_every_parameter_under_a_name_that_its_model_takes(params: FunctionBlockParams) -> None:
    assert type(params).model_validate(parameters_of(params)) == params


class Changeable(FunctionBlockParams):
    hosts: list[str] = Field(default_factory=list)
    table: dict[str, int] = Field(default={"a": 1})
    ids: set[int] = Field(default=set())
    inner: Inner = Inner(token=SecretStr("one"))
    when: datetime = Field(default_factory=lambda: datetime.now(UTC))
    left_alone: list[int] = Field(default_factory=lambda: [1])


def test_a_default_that_was_changed_in_place_is_sent_and_no_other_is() -> None:
    params = Changeable()
    assert parameters_of(params) == {}
    params.hosts.append("h1")
    params.table["b"] = 2
    params.ids.add(3)
    params.inner.renamed = 4
    assert parameters_of(params) == {
        "hosts": ["h1"],
        "table": {"a": 1, "b": 2},
        "ids": [3],
        "inner": {"token": "one", "camelCase": 4},
    }


@dataclasses.dataclass(frozen=True)
class Login:
    key: SecretStr


class Secretive(FunctionBlockParams):
    keys: frozenset[SecretStr]
    logins: set[Login]
    queue: deque[SecretStr]


def test_secrets_in_sets_dataclasses_and_queues_are_sent_in_clear() -> None:
    params = Secretive(
        keys=frozenset({SecretStr("two"), SecretStr("one")}),
        logins={Login(SecretStr("three"))},
        queue=deque([SecretStr("four")]),
    )
    sent = {"keys": ["one", "two"], "logins": [{"key": "three"}], "queue": ["four"]}
    assert parameters_of(params) == sent
    assert Secretive.model_validate(sent) == params


def test_a_dict_is_sent_as_it_is() -> None:
    sent = {"text": "{{ expression }}", "list": [1, 2.0, None]}
    assert parameters_of(sent) == sent
    assert parameters_of(None) == {}


def test_parameters_that_are_no_json_are_refused_with_their_path() -> None:
    with pytest.raises(EncodingError, match=r"params\.thing"):
        parameters_of({"thing": object()})
    with pytest.raises(
        EncodingError, match=r"^params .*: it is the class .*Login itself; call it to make one\.$"
    ):
        parameters_of(Login)  # type: ignore[arg-type]  # as an author may who has left out the parentheses


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
