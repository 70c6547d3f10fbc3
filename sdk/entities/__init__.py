"""Devices, interfaces and device groups, as the engine sends them and as a block creates them.

A job's context holds `DeviceEntity` and the like. `Device`, `Interface` and `DeviceGroup` are for
new ones: append them to the context's lists.
"""

from sdk.entities.creation import Device, DeviceField, DeviceGroup, GroupField, Interface, InterfaceField
from sdk.entities.device import DeviceEntity
from sdk.entities.group import DeviceGroupEntity
from sdk.entities.interface import InterfaceEntity
from sdk.entities.references import DeviceReference, EntityReference, Platform

__all__ = [
    "Device",
    "DeviceEntity",
    "DeviceField",
    "DeviceGroup",
    "DeviceGroupEntity",
    "DeviceReference",
    "EntityReference",
    "GroupField",
    "Interface",
    "InterfaceEntity",
    "InterfaceField",
    "Platform",
]
