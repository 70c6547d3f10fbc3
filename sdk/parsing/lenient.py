"""Parameters of an acquire job: the engine may not have resolved all of them.

Acquire jobs run before any step. Values from a step's result or from the context are left out or null
(engine contract: job types), so the parameters may be incomplete.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from sdk.parsing.blanks import without_blanks
from sdk.parsing.fields import keys_of
from sdk.parsing.strict import Warn, default_warn, warn_of_extras
from sdk.parsing.twin import NOTES, default_of, twin_of
from sdk.parsing.typeforms import accepts_null

ModelT = TypeVar("ModelT", bound=BaseModel)

ABSENT = "absent"
NULL = "null was sent"


def parse_leniently(
    model: type[ModelT], raw: object, warn: Warn | None = None, *, blanks_are_absent: bool = True
) -> tuple[ModelT, dict[str, str]]:
    """The readable part of `raw`, and the reason for each field that can't be read. Never raises.

    * A null for a field that accepts none counts as absent and is reported.
    * If a value does not fit, however deep it is, its whole top-level field gets its default.
    * A required field without a usable value is None and is reported. A default that only applies is not reported.
    * If a validator of the whole class fails, every field gets its default, and all are reported.

    All reports are also in one warning, without values.
    """
    say = warn or default_warn
    reasons: dict[str, str] = {}
    given: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    try:
        usable = without_blanks(model, given) if blanks_are_absent else dict(given)
        partial = _parse(model, usable, reasons)
        warn_of_extras(model, given, say)
    except Exception as error:
        reasons = {
            name: f"the model's own check raised {type(error).__name__}" for name in model.model_fields
        }
        partial = model.model_construct(
            **{name: default_of(field) for name, field in model.model_fields.items()}
        )
    if reasons:
        listed = ", ".join(f"{name} ({reason})" for name, reason in sorted(reasons.items()))
        say(f"Parameters of {model.__name__} not usable while acquiring: {listed}.")
    return partial, reasons


def _parse(model: type[ModelT], usable: dict[str, Any], reasons: dict[str, str]) -> ModelT:
    for name, field in model.model_fields.items():
        keys = keys_of(model, name, field) & usable.keys()
        if keys and not accepts_null(field.annotation) and all(usable[key] is None for key in keys):
            reasons[name] = NULL
            for key in keys:
                del usable[key]
        elif not keys and field.is_required():
            reasons[name] = ABSENT
    # A context of our own: the notes of the twin's validators go to `reasons`.
    partial: ModelT = twin_of(model).model_validate(usable, context={NOTES: reasons})
    return partial
