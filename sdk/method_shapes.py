"""Whether the worker can call the methods that an author wrote. Checked when a block is registered."""

from __future__ import annotations

import inspect
from typing import Any, Final

from sdk.calls import needs_forward_result, wants_meta
from sdk.errors import RegistrationError

_PARAMETERS: Final = {
    "run": ("params", "context"),
    "acquire": ("params",),
    "rollback": ("params", "context"),
}


def check_methods(cls: type[Any], where: str) -> None:
    """Check `run`, `acquire` and `rollback` of a block. `where` names it.

    Raises `RegistrationError` for an object that is not a plain method, is a generator, or takes other parameters.
    """
    for name, parameters in _PARAMETERS.items():
        written = f"async def {name}({', '.join(('self', *parameters))})"
        # Not by getattr: it would call a property, and turn the others into something else.
        _check_kind(inspect.getattr_static(cls, name), name, where, advice=f"Write it as '{written}'.")
        method = getattr(cls, name)
        _check_is_no_generator(method, name, where)
        if name == "run":
            wants_meta(method, where)
        else:
            _check_parameters(method, name, parameters, where, advice=f"Declare it as '{written}'.")


def _check_kind(found: object, name: str, where: str, advice: str) -> None:
    if isinstance(found, staticmethod | classmethod | property):
        what = f"{name} is a {type(found).__name__}, and is called on an instance for each job"
    elif not callable(found) and not hasattr(found, "__get__"):
        what = f"{name} is of type {type(found).__name__}, not a method"
    else:
        return
    raise RegistrationError(what, where=where, advice=advice)


def _check_is_no_generator(method: Any, name: str, where: str) -> None:
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise RegistrationError(
            f"{name} is a generator, as there is a 'yield' in it",
            where=where,
            advice="A job has one result: give it back with 'return'.",
        )


def _check_parameters(method: Any, name: str, parameters: tuple[str, ...], where: str, advice: str) -> None:
    signature = inspect.signature(method)
    given = " and ".join(parameters)
    # The older form has a third parameter without a default, and gets None for it.
    older = ("result_from_failed",) if name == "rollback" and needs_forward_result(method) else ()
    try:
        signature.bind(None, *parameters, *older)
    except TypeError:
        raise RegistrationError(
            f"{name}{signature} can't be called with {given}", where=where, advice=advice
        ) from None
