"""Whether what an author's method returned is a result."""

from __future__ import annotations

import inspect
from typing import Any, Final, TypeVar

from sdk.errors import WrongResultError
from sdk.models import FunctionBlockResultData
from sdk.registration import Registration
from sdk.results import BaseFunctionBlockResult, FunctionBlockResult

R = TypeVar("R", bound=BaseFunctionBlockResult)

_FIELD_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "message": (str,),
    "success": (bool,),
    "retryable": (bool, type(None)),
    "acquires": (list, tuple, type(None)),
}
"""What fields of a result may hold. pydantic checks a result when it is made, but not when it is changed later."""


def checked(outcome: object, kind: type[R], block: str, method: str) -> R:
    """`outcome` if it is a result of `kind` with fields of the right types. Raises `WrongResultError`."""
    if not isinstance(outcome, kind):
        found, advice = _described(outcome, kind)
        raise WrongResultError(f"{block} returned {found} from {method}(). {advice}")
    for field, types in _FIELD_TYPES.items():
        value = getattr(outcome, field, None)
        if field in kind.model_fields and not isinstance(value, types):
            raise WrongResultError(
                f"{block} returned {_a_name(kind.__name__)} from {method}() whose {field} is {_a(value)}. "
                f"Give it {_a_name(types[0].__name__)}."
            )
    return outcome


def checked_data(
    result: FunctionBlockResult[Any], registration: Registration | None
) -> FunctionBlockResult[Any]:
    """`result` if its data is of the class that the block is registered with. Raises `WrongResultError`."""
    # The class is unknown without a registration: for a block under test that was never registered.
    if registration is None or result.data is None or isinstance(result.data, registration.result_cls):
        return result
    raise WrongResultError(
        f"{registration.identifier} returned data of class {type(result.data).__qualname__}, "
        f"but is registered with {registration.result_cls.__qualname__}. "
        "Return that class, or change the registration."
    )


def _described(outcome: object, kind: type[BaseFunctionBlockResult]) -> tuple[str, str]:
    """What `outcome` is, and what to do about it."""
    advice = f"Return {_a_name(kind.__name__)} on every path."
    if outcome is None:
        return "nothing (None)", advice
    if inspect.iscoroutine(outcome):
        # Otherwise Python warns about it, on a line that has nothing to do with it.
        outcome.close()
        return "a coroutine that was not awaited", f"Put 'await' before the call. {advice}"
    if inspect.isgenerator(outcome) or inspect.isasyncgen(outcome):
        return _a(outcome), f"A job has one result: give it back with 'return', not with 'yield'. {advice}"
    if isinstance(outcome, FunctionBlockResultData) and kind is FunctionBlockResult:
        name = type(outcome).__qualname__
        return (
            f"bare data ({name})",
            f"{advice} FunctionBlockResult(success=True, message=..., data={name}(...))",
        )
    if isinstance(outcome, type):
        return f"the class {outcome.__qualname__} itself", f"{advice} Call the class to make one."
    return _a(outcome), advice


def _a(value: object) -> str:
    return "None" if value is None else _a_name(type(value).__qualname__)


def _a_name(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
