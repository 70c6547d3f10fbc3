"""The metaclass of proxies: each method of a proxy's interfaces calls the plugin."""

from __future__ import annotations

import functools
from abc import ABCMeta
from collections.abc import Callable
from typing import Any

from sdk.compat.migration_hints import refusing

from ..capabilities.base import CapabilityInterface
from ..exceptions import CapabilityContext, NotImplementedForThisPlatform
from ..types.base_connection import device_id_of


class ProxyMeta(ABCMeta):
    """Gives a proxy the methods of its interfaces."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> ProxyMeta:
        """The class, with a method for each that it inherits from an interface and does not define itself."""
        for method, (interface, function) in _methods(bases).items():
            namespace.setdefault(method, _to_plugin(interface, function))
        return super().__new__(mcs, name, bases, namespace, **kwargs)


def _methods(bases: tuple[type, ...]) -> dict[str, tuple[type, Callable[..., Any]]]:
    return {
        name: (interface, function)
        for base in reversed(bases)
        for interface in reversed(base.__mro__)
        if issubclass(interface, CapabilityInterface) and not isinstance(interface, ProxyMeta)
        for name, function in vars(interface).items()
        if getattr(function, "__isabstractmethod__", False)
    }


def _to_plugin(interface: type, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        # A plugin may have the method without the interface. If it lacks the method, it may have None there.
        method = getattr(self.plugin, function.__name__, None)
        if not callable(method):
            raise _not_implemented(self, interface, function.__name__)
        return method(*args, **kwargs)

    # wraps() also copies this mark. With it, nobody could make an instance of a proxy.
    forward.__isabstractmethod__ = False  # type: ignore[attr-defined]  # what ABCMeta looks at
    return forward


def _not_implemented(proxy: Any, interface: type, method: str) -> NotImplementedForThisPlatform:
    plugin = type(proxy.plugin)
    context = CapabilityContext(
        proxy_class=type(proxy).__name__,
        method_name=method,
        interface_name=interface.__name__,
        platform=getattr(plugin, "platform", None),
        plugin_class=plugin.__name__,
        device_id=device_id_of(proxy.device),
    )
    return NotImplementedForThisPlatform(
        f"{context.plugin_class} for platform {context.platform} has no {method}() "
        f"({context.interface_name}); device {context.device_id}.",
        context,
    )


__getattr__ = refusing(__name__)
