"""Interfaces: what can be asked of a device."""

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface
from .network_device_configuration import NetworkDeviceConfigurationCapability
from .network_device_execution import NetworkDeviceExecutionCapability
from .network_device_information import NetworkDeviceInformationCapability
from .network_device_lifecycle import NetworkDeviceLifecycleCapability
from .platform_detection import PlatformDetectionCapability

__all__ = [
    "CapabilityInterface",
    "NetworkDeviceConfigurationCapability",
    "NetworkDeviceExecutionCapability",
    "NetworkDeviceInformationCapability",
    "NetworkDeviceLifecycleCapability",
    "PlatformDetectionCapability",
]

__getattr__ = refusing(__name__)
