"""Whether what an author's method returned is a result."""

from __future__ import annotations

from typing import Any, TypeVar

from sdk.errors import WrongResultError
from sdk.registration import Registration
from sdk.results import BaseFunctionBlockResult, FunctionBlockResult

R = TypeVar("R", bound=BaseFunctionBlockResult)


def checked(outcome: object, kind: type[R], block: str, method: str) -> R:
    """``outcome`` if it is a result of ``kind``. Raises ``WrongResultError``."""
    if isinstance(outcome, kind):
        return outcome
    found = "nothing (None)" if outcome is None else f"a {type(outcome).__qualname__}"
    raise WrongResultError(
        f"{block} returned {found} from {method}(). Return a {kind.__name__} on every path."
    )


def checked_data(
    result: FunctionBlockResult[Any], registration: Registration | None
) -> FunctionBlockResult[Any]:
    """``result`` if its data is of the class the block is registered with. Raises ``WrongResultError``."""
    # Without a registration the class is not known: a block under test that was never registered.
    if registration is None or result.data is None or isinstance(result.data, registration.result_cls):
        return result
    raise WrongResultError(
        f"{registration.identifier} returned data of class {type(result.data).__qualname__}, "
        f"but is registered with {registration.result_cls.__qualname__}. "
        "Return that class, or change the registration."
    )
