"""Parameters of a job for execute or rollback: all of them must fit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sdk.errors import ParameterError, Problem
from sdk.parsing.blanks import without_blanks
from sdk.parsing.fields import fields_by_key
from sdk.parsing.problems import WHOLE, problems_of

ModelT = TypeVar("ModelT", bound=BaseModel)

Warn = Callable[[str], None]

default_warn: Warn = logging.getLogger(__name__).warning


def parse_parameters(
    model: type[ModelT], raw: object, warn: Warn | None = None, *, blanks_are_absent: bool = True
) -> ModelT:
    """An instance of `model`, made from the parameters that the engine sent.

    `raw` is a mapping; blank strings in it count as absent, unless `blanks_are_absent` is false. One warning names the
    keys that the model ignores (only names, never values). Raises `ParameterError`.
    """
    if not isinstance(raw, Mapping):
        found = type(raw).__name__
        raise ParameterError(
            model.__name__, [Problem(WHOLE, "mapping_type", f"an object is needed, not {found}")]
        )
    warn_of_extras(model, raw, warn or default_warn)
    try:
        return model.model_validate(without_blanks(model, raw) if blanks_are_absent else dict(raw))
    except ValidationError as error:
        # "from None": the text of the cause may hold values, and a traceback would print it.
        raise ParameterError(model.__name__, problems_of(error, model)) from None
    except Exception as error:
        # If an author's validator raises neither ValueError nor AssertionError, its error comes through unchanged.
        problem = Problem(
            "(all)", "validator_crashed", f"a validator of the model raised {type(error).__name__}"
        )
        raise ParameterError(model.__name__, [problem]) from None


def warn_of_extras(model: type[BaseModel], raw: Mapping[str, Any], warn: Warn) -> None:
    """Warn once with the names of the keys that `model` will ignore, if there are any."""
    if model.model_config.get("extra", "ignore") != "ignore":
        return
    known = fields_by_key(model)
    extra = sorted(str(key)[:60] for key in raw if key not in known)
    if extra:
        more = f" and {len(extra) - 20} more" if len(extra) > 20 else ""
        warn(
            f"Parameters unknown to {model.__name__} are ignored: {', '.join(extra[:20])}{more}. "
            f"It knows: {', '.join(sorted(known)) or 'none'}."
        )
