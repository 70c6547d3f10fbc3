"""The proxies."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from sdk.compat.migration_hints import refusing
from sdk.logger import LoggerLike

from ...logger.adapters import logger_for
from ..capabilities.base import CapabilityInterface
from ..capabilities.network_device_configuration import NetworkDeviceConfigurationCapability
from ..capabilities.network_device_execution import NetworkDeviceExecutionCapability
from ..capabilities.network_device_information import NetworkDeviceInformationCapability
from ..capabilities.network_device_lifecycle import NetworkDeviceLifecycleCapability
from ..capabilities.platform_detection import PlatformDetectionCapability
from ..registry import AnyPlugin, resolve_plugin
from ..types.aliases import ConnectionLibrary, ConnectionType
from .meta import ProxyMeta


class ConnectionProxy(metaclass=ProxyMeta):
    """A connection to a device, with the methods of the interfaces that a subclass names as further bases."""

    def __init__(self, device: Any, plugin: AnyPlugin, logger: LoggerLike | None = None) -> None:
        self._device = device
        self._plugin = plugin
        self.logger = logger_for(self, logger)

    @classmethod
    def get_connection(
        cls,
        device: Any,
        connection_type: ConnectionType | None = None,
        connection_library: ConnectionLibrary | None = None,
        *,
        connect: bool = True,
        fallback_to_default: bool = False,
        validate_capabilities: bool = True,
        logger: LoggerLike | None = None,
    ) -> Self:
        """A proxy for `device`, connected unless `connect` is False. The caller must close it.

        Raises `PluginNotFoundError`, `AmbiguousPluginError`, and what the plugin raises.
        """
        required = _interfaces(cls)
        plugin = resolve_plugin(
            device, connection_type, connection_library, required, fallback_to_default, cls.__name__
        )
        plugin.bind_logger(logger)
        proxy = cls(device, plugin, logger)
        lacking = sorted(each.__name__ for each in required if not isinstance(plugin, each))
        if validate_capabilities and lacking:
            proxy.logger.warning(f"{type(plugin).__name__} lacks {', '.join(lacking)}")
        plugin.initialize_connection(connect=connect)
        return proxy

    @classmethod
    @contextmanager
    def connect(
        cls,
        device: Any,
        connection_type: ConnectionType | None = None,
        connection_library: ConnectionLibrary | None = None,
        *,
        connect: bool = True,
        fallback_to_default: bool = False,
        validate_capabilities: bool = True,
        logger: LoggerLike | None = None,
    ) -> Iterator[Self]:
        """Return what `get_connection` returns, for a `with`, and close it at the end."""
        proxy = cls.get_connection(
            device,
            connection_type,
            connection_library,
            connect=connect,
            fallback_to_default=fallback_to_default,
            validate_capabilities=validate_capabilities,
            logger=logger,
        )
        try:
            yield proxy
        finally:
            proxy.close()

    def close(self) -> None:
        """End the connection."""
        self._plugin.teardown_connection()

    @classmethod
    def list_capabilities(cls) -> dict[str, list[str]]:
        """The methods of this proxy, by the interface that they belong to."""
        return {each.__name__: sorted(each.__abstractmethods__) for each in _interfaces(cls)}

    @property
    def device(self) -> Any:
        """The device."""
        return self._device

    @property
    def plugin(self) -> AnyPlugin:
        """The plugin that does the work."""
        return self._plugin


def _interfaces(cls: type) -> set[ABCMeta]:
    return {
        base
        for base in cls.__mro__
        if isinstance(base, ABCMeta)
        and CapabilityInterface in base.__bases__
        and not isinstance(base, ProxyMeta)
    }


class FileStorageConnectionProxy(ConnectionProxy):
    """For file stores."""


class NetworkControllerConnectionProxy(ConnectionProxy):
    """For network controllers."""


class NetworkDeviceConnectionProxy(
    ConnectionProxy,
    NetworkDeviceConfigurationCapability,
    NetworkDeviceExecutionCapability,
    NetworkDeviceInformationCapability,
    NetworkDeviceLifecycleCapability,
):
    """For everything that a network device can do."""


class NetworkDeviceDiscoveryProxy(ConnectionProxy, NetworkDeviceInformationCapability):
    """For facts about a network device."""


class PlatformDetectionProxy(ConnectionProxy, PlatformDetectionCapability):
    """For the detection of a device's platform."""


__getattr__ = refusing(__name__)
