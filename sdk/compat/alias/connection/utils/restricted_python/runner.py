"""Runs restricted code: RestrictedPython compiles it, and a separate process runs it for a limited time."""

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
    """The values that the code has given to `set_result(key, value)`; None if it gave none. Blocks while the code runs.

    `kwargs` are the code's variables, `restricted_builtins` are names that it may use besides the registered ones.
    Raises `SyntaxError` for forbidden code, `TimeoutError` after `timeout_s` seconds, and what the code raises.
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
        # The code may change its variables. It may not change objects that all code shares.
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
    exec(compiled.code, {**names, **variables})  # noqa: S102  # the purpose; RestrictedPython compiled it
    return results


__getattr__ = refusing(__name__)
