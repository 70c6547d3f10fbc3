"""Network devices in a block: `connect`, and what it gives.

Each name is loaded when it is first used, as those of `sdk` are: netmiko and paramiko take half a second.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sdk.connection.causes import Cause
    from sdk.connection.errors import DeviceError
    from sdk.connection.login import JumpHost, Login
    from sdk.connection.many import for_each_device
    from sdk.connection.outcomes import DeviceOutcome

_HOMES: Final = {
    "Cause": "sdk.connection.causes",
    "DeviceError": "sdk.connection.errors",
    "DeviceOutcome": "sdk.connection.outcomes",
    "JumpHost": "sdk.connection.login",
    "Login": "sdk.connection.login",
    "for_each_device": "sdk.connection.many",
}

__all__ = ["Cause", "DeviceError", "DeviceOutcome", "JumpHost", "Login", "for_each_device"]


if not TYPE_CHECKING:
    # Hidden from type checkers: to them it would say that this module has any name, misspelt ones too.
    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
