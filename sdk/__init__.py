"""What a block author imports.

Importing it is light: no event loop, no network, no client of the engine.
"""

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
