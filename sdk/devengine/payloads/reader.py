"""Checks the bytes of a request and makes a body of them. Its messages never contain a value from the request."""

from __future__ import annotations

import json
import math
from typing import Any, Never, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from sdk.devengine.errors import RequestError

_MAX_MESSAGES = 20
_DEEPEST_LEVELS = 256
"""More than a worker accepts or sends (200, and the levels around them), and less than the limit of recursion."""
_TOO_DEEP = f"the body is nested more than {_DEEPEST_LEVELS} levels deep"

BodyT = TypeVar("BodyT")


class Body(BaseModel):
    """Base of all bodies: camelCase on the wire, strict types, unknown fields ignored as the engine does."""

    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, extra="ignore", hide_input_in_errors=True
    )


def parse_json(data: bytes) -> Any:
    """Parse a body as RFC 8259 JSON. Raises `RequestError`.

    Python's parser also accepts NaN and Infinity and turns 1e999 into infinity. A Node engine refuses the first two,
    and none of them can be sent on.
    """
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite_float)
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise RequestError(f"the body is not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise RequestError(_TOO_DEEP) from error
    except ValueError as error:  # an integer with more digits than CPython converts
        raise RequestError("the body contains a number that is too long") from error
    if _is_too_deep(value):
        raise RequestError(_TOO_DEEP)
    return value


def validate(adapter: TypeAdapter[BodyT], value: Any) -> BodyT:
    """Check a parsed body against its shape. Raises `RequestError` with one message per fault."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise RequestError(*(_message(fault) for fault in faults[:_MAX_MESSAGES])) from None


def _message(fault: ErrorDetails) -> str:
    where = ".".join(str(part) for part in fault["loc"]) or "body"
    if fault["type"] == "union_tag_invalid":
        # pydantic's own text repeats the tag from the request.
        return f"{where}: expected one of {fault.get('ctx', {}).get('expected_tags')}"
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}"


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST_LEVELS):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> Never:
    raise RequestError(f"the body contains {name}, which is not JSON")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise RequestError("the body contains a number that is too large")
    return value
