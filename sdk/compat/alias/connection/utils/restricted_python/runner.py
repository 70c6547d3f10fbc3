"""Runs restricted code: compiled by RestrictedPython, in a process of its own, for a limited time."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from sdk.compat.client import library
from sdk.compat.migration_hints import refusing

from ..own_process import outcome_of
from .registry import RESTRICTED_BUILTINS

DEFAULT_TIMEOUT_S: Final = 30.0


def run_restricted_code(
    source: str,
    filename: str,
    restricted_builtins: dict[str, Any] | None = None,
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    **kwargs: Any,
) -> dict[str, Any] | None:
    """What the code has handed to `set_result(key, value)`; None for nothing. Blocks for as long as the code runs.

    `kwargs` are its variables, `restricted_builtins` what it may use beside what is registered. Raises `SyntaxError`
    for what is not allowed, `TimeoutError` after `timeout_s` seconds, and what the code raises.
    """
    builtins = {**RESTRICTED_BUILTINS, **(restricted_builtins or {})}
    results = outcome_of(lambda: _results(source, filename, builtins, kwargs), timeout_s)
    return results or None


def _results(
    source: str, filename: str, builtins: dict[str, Any], variables: dict[str, Any]
) -> dict[str, Any]:
    compiled = library("RestrictedPython").compile_restricted_exec(source, filename=filename)
    if compiled.code is None:
        raise SyntaxError("; ".join(compiled.errors))
    results: dict[str, Any] = {}
    evaluation, guards = library("RestrictedPython.Eval"), library("RestrictedPython.Guards")

    def writable(target: Any) -> Any:
        # Changing the variables is allowed, changing what all code shares is not.
        return guards.full_write_guard(target) if isinstance(target, ModuleType | type) else target

    names = {
        "__builtins__": {**builtins, "set_result": results.__setitem__},
        "__metaclass__": type,
        "__name__": "restricted_code",
        "_getitem_": evaluation.default_guarded_getitem,
        "_getiter_": evaluation.default_guarded_getiter,
        "_iter_unpack_sequence_": guards.guarded_iter_unpack_sequence,
        "_write_": writable,
    }
    exec(compiled.code, {**names, **variables})  # noqa: S102  # what it is for: RestrictedPython has compiled it
    return results


__getattr__ = refusing(__name__)
