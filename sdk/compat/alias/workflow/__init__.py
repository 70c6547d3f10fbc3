"""A job's context, and the entities in it."""

from sdk.compat.migration_hints import refusing

from .db_updates import EntityType, generate_temporary_id
from .entities import Device, DeviceField, DeviceGroup, GroupField, Interface, InterfaceField
from .workflow_context import WorkflowContext

__all__ = [
    "Device",
    "DeviceField",
    "DeviceGroup",
    "EntityType",
    "GroupField",
    "Interface",
    "InterfaceField",
    "WorkflowContext",
    "generate_temporary_id",
]

__getattr__ = refusing(__name__)
