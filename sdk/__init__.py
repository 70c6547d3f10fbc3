"""All that a block author imports.

The import is light: no event loop, no network, no client of the engine. Python loads each name when it is first
used, because every pytest run in an environment with this package loads the pytest plugin below it.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sdk.acquire import EntityAcquireByElasticQuery, EntityAcquireContext
    from sdk.acquire_params import AcquireParams
    from sdk.block import FunctionBlock
    from sdk.block_registry import registry
    from sdk.context import WorkflowContext
    from sdk.decorator import register_function_block
    from sdk.entities import (
        Device,
        DeviceEntity,
        DeviceField,
        DeviceGroup,
        DeviceGroupEntity,
        DeviceReference,
        EntityReference,
        GroupField,
        Interface,
        InterfaceEntity,
        InterfaceField,
        Platform,
    )
    from sdk.errors import SdkError
    from sdk.job import JobMeta
    from sdk.models import FunctionBlockParams, FunctionBlockResultData
    from sdk.registration import Registration
    from sdk.results import FunctionBlockAcquireResult, FunctionBlockResult, FunctionBlockRollbackResult
    from sdk.sensitive import SENSITIVE

_HOMES: Final = {
    "AcquireParams": "sdk.acquire_params",
    "Device": "sdk.entities",
    "DeviceEntity": "sdk.entities",
    "DeviceField": "sdk.entities",
    "DeviceGroup": "sdk.entities",
    "DeviceGroupEntity": "sdk.entities",
    "DeviceReference": "sdk.entities",
    "EntityAcquireByElasticQuery": "sdk.acquire",
    "EntityAcquireContext": "sdk.acquire",
    "EntityReference": "sdk.entities",
    "FunctionBlock": "sdk.block",
    "FunctionBlockAcquireResult": "sdk.results",
    "FunctionBlockParams": "sdk.models",
    "FunctionBlockResult": "sdk.results",
    "FunctionBlockResultData": "sdk.models",
    "FunctionBlockRollbackResult": "sdk.results",
    "GroupField": "sdk.entities",
    "Interface": "sdk.entities",
    "InterfaceEntity": "sdk.entities",
    "InterfaceField": "sdk.entities",
    "JobMeta": "sdk.job",
    "Platform": "sdk.entities",
    "Registration": "sdk.registration",
    "SENSITIVE": "sdk.sensitive",
    "SdkError": "sdk.errors",
    "WorkflowContext": "sdk.context",
    "register_function_block": "sdk.decorator",
    "registry": "sdk.block_registry",
}

__all__ = [
    "SENSITIVE",
    "AcquireParams",
    "Device",
    "DeviceEntity",
    "DeviceField",
    "DeviceGroup",
    "DeviceGroupEntity",
    "DeviceReference",
    "EntityAcquireByElasticQuery",
    "EntityAcquireContext",
    "EntityReference",
    "FunctionBlock",
    "FunctionBlockAcquireResult",
    "FunctionBlockParams",
    "FunctionBlockResult",
    "FunctionBlockResultData",
    "FunctionBlockRollbackResult",
    "GroupField",
    "Interface",
    "InterfaceEntity",
    "InterfaceField",
    "JobMeta",
    "Platform",
    "Registration",
    "SdkError",
    "WorkflowContext",
    "register_function_block",
    "registry",
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
