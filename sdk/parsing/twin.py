"""A twin of a model: it accepts what it can, and notes what it can't."""

from __future__ import annotations

import functools
import types
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, field_validator
from pydantic.fields import FieldInfo

from sdk.parsing.problems import WHOLE, problems_of

ModelT = TypeVar("ModelT", bound=BaseModel)

# Key in the validation context. The twin keeps its notes there: field name → reason.
NOTES = "sdk.unresolved"


@functools.cache
def twin_of(model: type[ModelT]) -> type[ModelT]:
    """A subclass of `model` in which no field is required and no bad value is an error.

    If a value does not fit, the field's default replaces it (None for a required field), with a note.
    It is a subclass, so the author's own methods and validators still work.
    """
    namespace = {
        "__module__": model.__module__,
        "__qualname__": model.__qualname__,
        "__doc__": model.__doc__,
        # Declared last and so outermost: it also catches what the author's own validators raise.
        "sdk_fall_back": field_validator("*", mode="wrap")(classmethod(_fall_back)),
        "model_config": {"extra": "ignore", "validate_default": False},
    }
    twin: type[ModelT] = types.new_class(model.__name__, (model,), {}, lambda body: body.update(namespace))
    for field in twin.model_fields.values():
        if field.is_required():
            field.default = None
    twin.model_rebuild(force=True)
    return twin


def default_of(field: FieldInfo) -> Any:
    """A field's declared default. None if it has none, or if its factory needs other fields or fails."""
    if field.is_required():
        return None
    try:
        return field.get_default(call_default_factory=True)
    except Exception:
        # Lenient: even an author's factory that fails must not stop the acquire phase.
        return None


def _fall_back(
    cls: type[BaseModel], value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> Any:
    try:
        return handler(value)
    except ValidationError as error:
        problems = problems_of(error)[:3]
        reason = "; ".join(each.text if each.path == WHOLE else str(each) for each in problems)
    except Exception as error:
        reason = f"its validator raised {type(error).__name__}"
    name = str(info.field_name)
    if info.context is not None:
        info.context[NOTES][name] = f"did not fit ({reason})"
    return default_of(cls.model_fields[name])
