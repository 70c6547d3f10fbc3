"""A job to submit, from `POST /dev/jobs` or from `DevEngine.submit`, and its checks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, field_validator, model_validator

from sdk.devengine.identifiers import STEP_LABEL
from sdk.devengine.payloads.reader import Body
from sdk.devengine.payloads.results import EntityId, EntityType

_CONTEXT_LISTS = ("devices", "deviceGroups", "interfaces")
_NEEDS_ENTITY = ("device", "interface", "group")
_MAX_ENTITY_ID = 2**53  # above it, some JSON readers can't tell two ids apart


class Submission(Body):
    """One job to create.

    `block` may leave out the patch, or minor and patch: the highest registered version is used. A block
    that no worker has registered is refused unless `allow_unregistered`; its version must then be exact.
    """

    block: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    context: dict[str, Any] | None = Field(default=None, validate_default=True)
    run_on: EntityType = "global"
    entity_id: Annotated[EntityId, Field(le=_MAX_ENTITY_ID)] | None = None
    type: Literal["acquire", "execute", "rollback"] = "execute"
    step_label: str | None = None
    allow_unregistered: bool = False

    @field_validator("context")
    @classmethod
    def _complete_context(cls, value: dict[str, Any] | None) -> dict[str, Any]:
        # Both clients need all three lists; a person at a terminal gives only the one that matters.
        given = dict(value or {})
        if "device_groups" in given:  # as Python has it, by which blocks know them
            given.setdefault("deviceGroups", given.pop("device_groups"))
        context = {name: [] for name in _CONTEXT_LISTS} | given
        for name in _CONTEXT_LISTS:
            if not isinstance(context[name], list):
                raise ValueError(f"{name} must be a list")  # noqa: TRY004  # pydantic reports ValueErrors
        return context

    @field_validator("step_label")
    @classmethod
    def _check_step_label(cls, value: str | None) -> str | None:
        if value is not None and STEP_LABEL.fullmatch(value) is None:
            raise ValueError(
                "must be letters, digits and '_', not start with a digit, "
                "and not be parameters, context or steps"
            )
        return value

    @model_validator(mode="after")
    def _check_entity(self) -> Submission:
        if self.run_on in _NEEDS_ENTITY and self.entity_id is None:
            raise ValueError(f"runOn {self.run_on} needs entityId, the id of the {self.run_on} to run on")
        if self.run_on == "global" and self.entity_id is not None:
            raise ValueError("entityId is given but runOn is global; set runOn to device, interface or group")
        return self


SUBMISSION: TypeAdapter[Submission] = TypeAdapter(Submission)
SUBMISSIONS: TypeAdapter[list[Submission]] = TypeAdapter(Annotated[list[Submission], Field(min_length=1)])
