"""The plugins of this process: those of authors go before this worker's own."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any, TypeVar

from sdk.compat.migration_hints import refusing

from .capabilities.base import CapabilityInterface
from .exceptions import AmbiguousPluginError, MatchingPlugin, PluginNotFoundError
from .plugins.detect.detect_plugin import PlatformDetectionPlugin
from .plugins.own_platforms import OWN_PLUGINS
from .types.aliases import ConnectionLibrary, ConnectionType
from .types.base_connection import device_id_of
from .types.connection_plugin import ConnectionPlugin

AnyPlugin = ConnectionPlugin[Any, Any]
PluginT = TypeVar("PluginT", bound=type[AnyPlugin])


@dataclass(frozen=True, slots=True)
class _Registered:
    cls: type[AnyPlugin]
    default_for_platform: bool
    default_for_connection_type: bool
    is_own: bool = False


_own: tuple[type[AnyPlugin], ...] = (*OWN_PLUGINS, PlatformDetectionPlugin)
_plugins: list[_Registered] = [
    _Registered(plugin, default_for_platform=True, default_for_connection_type=True, is_own=True)
    for plugin in _own
]


def register_connection_plugin(
    default_for_platform: bool = False, default_for_connection_type: bool = False
) -> Callable[[PluginT], PluginT]:
    """Register the decorated plugin."""

    def register(cls: PluginT) -> PluginT:
        _plugins.append(_Registered(cls, default_for_platform, default_for_connection_type))
        return cls

    return register


def get_registry_snapshot() -> dict[str, Any]:
    """The plugins by platform, type and library, and the defaults of each platform and of each type of a platform."""
    plugins: dict[str, dict[str, dict[str, type[AnyPlugin]]]] = {}
    for each in _plugins:
        by_type = plugins.setdefault(each.cls.platform, {})
        by_type.setdefault(each.cls.connection_type, {})[each.cls.connection_library] = each.cls
    return {
        "plugins": plugins,
        "platform_defaults": {each.cls.platform: each.cls for each in _plugins if each.default_for_platform},
        "connection_type_defaults": {
            (each.cls.platform, each.cls.connection_type): each.cls
            for each in _plugins
            if each.default_for_connection_type
        },
    }


def ssh_plugins() -> dict[str, type[AnyPlugin]]:
    """The plugins that speak SSH, by platform: the default of each platform, or the first if there is no default."""
    found: dict[str, _Registered] = {}
    for each in _plugins:
        known = found.get(each.cls.platform)
        if each.cls.connection_type == "ssh" and (known is None or each.default_for_connection_type):
            found[each.cls.platform] = each
    return {platform: each.cls for platform, each in found.items()}


def clear_registry() -> None:
    """Forget all plugins; for tests."""
    _plugins.clear()


def resolve_plugin(
    device: Any,
    connection_type: ConnectionType | None = None,
    connection_library: ConnectionLibrary | None = None,
    required_capabilities: Set[type] | None = None,
    fallback_to_default: bool = False,
    proxy_class_name: str = "ConnectionProxy",
) -> AnyPlugin:
    """The plugin for `device`: one of its platform that has the most of the wanted capabilities.

    Raises `PluginNotFoundError`. Raises `AmbiguousPluginError` if several fit equally and none is the default.
    """
    required: Set[type] = required_capabilities or frozenset()
    platform = getattr(getattr(device, "platform", None), "short_name", None)
    fitting = [
        each
        for each in _plugins
        if each.cls.platform == platform
        and connection_type in (None, each.cls.connection_type)
        and connection_library in (None, each.cls.connection_library)
    ]
    best = max((_count(each, required) for each in fitting), default=0)
    fitting = [each for each in fitting if _count(each, required) == best]
    # Of two plugins that fit equally, the author's goes before the worker's.
    fitting = [each for each in fitting if not each.is_own] or fitting
    if len(fitting) > 1 and fallback_to_default:
        fitting = _defaults(fitting) or fitting
    facts: dict[str, Any] = {
        "platform": platform,
        "connection_type": connection_type,
        "connection_library": connection_library,
        "device_id": device_id_of(device),
        "required_capabilities": sorted(each.__name__ for each in required),
    }
    if not fitting:
        raise PluginNotFoundError(_NONE_HERE, **facts)
    if len(fitting) > 1:
        candidates = [
            MatchingPlugin(each.cls.__name__, each.cls.connection_library, capabilities_of(each.cls))
            for each in fitting
        ]
        raise AmbiguousPluginError(proxy_class_name, matching_plugins=candidates, **facts)
    return fitting[0].cls(device)


def capabilities_of(cls: type) -> list[str]:
    """The names of the interfaces that a class has."""
    bases = [base for base in cls.__mro__ if issubclass(base, CapabilityInterface)]
    return sorted(base.__name__ for base in bases if CapabilityInterface in base.__bases__)


def _count(plugin: _Registered, required: Set[type]) -> int:
    return sum(issubclass(plugin.cls, each) for each in required)


def _defaults(plugins: list[_Registered]) -> list[_Registered]:
    for_type = [each for each in plugins if each.default_for_connection_type]
    return for_type or [each for each in plugins if each.default_for_platform]


_NONE_HERE = (
    "No plugin fits this device. This worker has plugins for "
    f"{', '.join(sorted(plugin.platform for plugin in OWN_PLUGINS))}, over SSH by netmiko. Register one of your own, "
    "use sdk.connection in run(), or install neops_worker_sdk beside this worker."
)

__getattr__ = refusing(__name__)
