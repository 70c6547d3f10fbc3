"""What restricted code may use: RestrictedPython's own names, and what authors register."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from sdk.compat.client import library
from sdk.compat.migration_hints import refusing

CallableT = TypeVar("CallableT", bound=Callable[..., Any])

_RESTRICTED: Final = library("RestrictedPython")

RESTRICTED_BUILTINS: dict[str, Any] = {
    **_RESTRICTED.safe_builtins,
    **_RESTRICTED.limited_builtins,
    **_RESTRICTED.utility_builtins,
}
"""By their names in the code. They belong to this process: each job has its own."""


def register_restricted_module(name: str) -> Callable[[CallableT], CallableT]:
    """Let restricted code use the module that the decorated function returns."""

    def register(function: CallableT) -> CallableT:
        RESTRICTED_BUILTINS[name] = function()
        return function

    return register


def register_restricted_function(name: str) -> Callable[[CallableT], CallableT]:
    """Let restricted code call the decorated function."""

    def register(function: CallableT) -> CallableT:
        RESTRICTED_BUILTINS[name] = function
        return function

    return register


def snapshot_sdk_builtin_names() -> None:
    """Do nothing: the process that runs the code has everything that was registered in this one."""


__getattr__ = refusing(__name__)
