"""What goes wrong between a block and a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sdk.compat.migration_hints import refusing


class NeopsConnectionError(Exception):
    """Root of these errors."""


def _text(message: str, **facts: str | Sequence[str] | None) -> str:
    """The message, and a line for each fact that is known."""
    lines = [
        f"  {name.replace('_', ' ').capitalize()}: {fact if isinstance(fact, str) else ', '.join(fact)}"
        for name, fact in facts.items()
        if fact
    ]
    return "\n".join([message, *lines])


class ConnectionCreationError(NeopsConnectionError):
    """A connection could not be made."""

    def __init__(self, message: str, device_id: str | None = None, cause: Exception | None = None) -> None:
        reason = None if cause is None else f"{type(cause).__name__}: {cause}"
        super().__init__(_text(message, device=device_id, cause=reason))
        self.message = message
        self.device_id = device_id
        self.cause = cause


class ConnectionValidationError(NeopsConnectionError):
    """The device lacks what a connection needs, such as an address."""

    def __init__(
        self, message: str, device_id: str | None = None, missing_fields: list[str] | None = None
    ) -> None:
        super().__init__(_text(message, device=device_id, missing_fields=missing_fields))
        self.message = message
        self.device_id = device_id
        self.missing_fields = missing_fields or []


class PlatformNotSupportedError(NeopsConnectionError):
    """The library does not know the device's platform."""

    def __init__(self, platform: str | None, connection_library: str, device_id: str | None = None) -> None:
        super().__init__(
            _text(f"{connection_library} does not support platform {platform!r}.", device=device_id)
        )
        self.platform = platform
        self.connection_library = connection_library
        self.device_id = device_id


class ConnectionStateError(NeopsConnectionError):
    """The connection is not in a state for what was asked."""

    def __init__(self, message: str, device_id: str | None = None) -> None:
        super().__init__(_text(message, device=device_id))
        self.message = message
        self.device_id = device_id


class ConnectionNotInitializedError(ConnectionStateError):
    """There is no connection yet."""

    def __init__(self, message: str | None = None, device_id: str | None = None) -> None:
        super().__init__(message or "There is no connection yet; connect first.", device_id)


class ConnectionAlreadyInitializedError(ConnectionStateError):
    """There is a connection already."""

    def __init__(self, message: str | None = None, device_id: str | None = None) -> None:
        super().__init__(message or "There is a connection already.", device_id)


class PluginNotFoundError(NeopsConnectionError):
    """No plugin fits the device."""

    def __init__(
        self,
        message: str | None = None,
        platform: str | None = None,
        connection_type: str | None = None,
        connection_library: str | None = None,
        required_capabilities: list[str] | None = None,
        device_id: str | None = None,
    ) -> None:
        super().__init__(
            _text(
                message or "No plugin fits.",
                platform=platform,
                connection_type=connection_type,
                connection_library=connection_library,
                required_capabilities=required_capabilities,
                device=device_id,
            )
        )
        self.platform = platform
        self.connection_type = connection_type
        self.connection_library = connection_library
        self.required_capabilities = required_capabilities or []
        self.device_id = device_id


class PluginRegistrationError(NeopsConnectionError):
    """A plugin can't be registered."""

    def __init__(
        self, message: str, plugin_class: str | None = None, conflict_with: str | None = None
    ) -> None:
        super().__init__(_text(message, plugin=plugin_class, conflict_with=conflict_with))
        self.message = message
        self.plugin_class = plugin_class
        self.conflict_with = conflict_with


@dataclass
class MatchingPlugin:
    """One of several plugins that fit."""

    class_name: str
    connection_library: str
    capabilities: list[str] = field(default_factory=list)


class AmbiguousPluginError(NeopsConnectionError):
    """Several plugins fit, and none is the default."""

    def __init__(
        self,
        proxy_class: str,
        required_capabilities: list[str],
        platform: str | None = None,
        connection_type: str | None = None,
        connection_library: str | None = None,
        device_id: str | None = None,
        matching_plugins: list[MatchingPlugin] | None = None,
    ) -> None:
        fitting = [each.class_name for each in matching_plugins or ()]
        super().__init__(
            _text(
                f"Several plugins fit {proxy_class}; name a connection_library.",
                platform=platform,
                device=device_id,
                plugins=fitting,
            )
        )
        self.proxy_class = proxy_class
        self.required_capabilities = required_capabilities
        self.platform = platform
        self.connection_type = connection_type
        self.connection_library = connection_library
        self.device_id = device_id
        self.matching_plugins = matching_plugins or []


@dataclass
class CapabilityContext:
    """Which method of which proxy was called."""

    proxy_class: str
    method_name: str
    interface_name: str
    platform: str | None = None
    plugin_class: str | None = None
    device_id: str | None = None


class NotImplementedForThisPlatform(NeopsConnectionError):  # noqa: N818  # the name that blocks catch
    """The plugin of this platform does not have the method."""

    def __init__(self, message: str, context: CapabilityContext | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


__getattr__ = refusing(__name__)
