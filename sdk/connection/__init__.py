"""Network devices in a block: `connect`, and what it returns.

Each name is loaded when it is first used, as in `sdk`: netmiko and paramiko take half a second.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sdk.connection.answer import Answer
    from sdk.connection.capabilities import Configuration, Execution, Information
    from sdk.connection.causes import Cause
    from sdk.connection.change import Change, SyncChange
    from sdk.connection.changes.plan import LinesError, Plan
    from sdk.connection.changes.secrecy import without_secrets
    from sdk.connection.connection import Connection, connect
    from sdk.connection.deadline import Deadline
    from sdk.connection.detection import detect_platform
    from sdk.connection.errors import DeviceError
    from sdk.connection.information import (
        DeviceFacts,
        InterfaceFacts,
        InterfaceState,
        Neighbor,
        NextHop,
        Route,
    )
    from sdk.connection.login import JumpHost, Login
    from sdk.connection.many import for_each_device
    from sdk.connection.outcomes import DeviceOutcome
    from sdk.connection.places import sessions_per_device
    from sdk.connection.platforms.platform import Platform
    from sdk.connection.platforms.probing import Detection
    from sdk.connection.platforms.registration import register_platform
    from sdk.connection.rollback import restore, rollback_source
    from sdk.connection.sync import SyncConnection, connect_sync

_HOMES: Final = {
    "Answer": "sdk.connection.answer",
    "Cause": "sdk.connection.causes",
    "Change": "sdk.connection.change",
    "Configuration": "sdk.connection.capabilities",
    "Connection": "sdk.connection.connection",
    "Deadline": "sdk.connection.deadline",
    "Detection": "sdk.connection.platforms.probing",
    "DeviceError": "sdk.connection.errors",
    "DeviceFacts": "sdk.connection.information",
    "DeviceOutcome": "sdk.connection.outcomes",
    "Execution": "sdk.connection.capabilities",
    "Information": "sdk.connection.capabilities",
    "InterfaceFacts": "sdk.connection.information",
    "InterfaceState": "sdk.connection.information",
    "JumpHost": "sdk.connection.login",
    "LinesError": "sdk.connection.changes.plan",
    "Login": "sdk.connection.login",
    "Neighbor": "sdk.connection.information",
    "NextHop": "sdk.connection.information",
    "Plan": "sdk.connection.changes.plan",
    "Platform": "sdk.connection.platforms.platform",
    "Route": "sdk.connection.information",
    "SyncChange": "sdk.connection.change",
    "SyncConnection": "sdk.connection.sync",
    "connect": "sdk.connection.connection",
    "connect_sync": "sdk.connection.sync",
    "detect_platform": "sdk.connection.detection",
    "for_each_device": "sdk.connection.many",
    "register_platform": "sdk.connection.platforms.registration",
    "restore": "sdk.connection.rollback",
    "rollback_source": "sdk.connection.rollback",
    "sessions_per_device": "sdk.connection.places",
    "without_secrets": "sdk.connection.changes.secrecy",
}

__all__ = [
    "Answer",
    "Cause",
    "Change",
    "Configuration",
    "Connection",
    "Deadline",
    "Detection",
    "DeviceError",
    "DeviceFacts",
    "DeviceOutcome",
    "Execution",
    "Information",
    "InterfaceFacts",
    "InterfaceState",
    "JumpHost",
    "LinesError",
    "Login",
    "Neighbor",
    "NextHop",
    "Plan",
    "Platform",
    "Route",
    "SyncChange",
    "SyncConnection",
    "connect",
    "connect_sync",
    "detect_platform",
    "for_each_device",
    "register_platform",
    "restore",
    "rollback_source",
    "sessions_per_device",
    "without_secrets",
]


if not TYPE_CHECKING:
    # Hidden from type checkers. They would believe that this module has any name, even a misspelt one.
    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
