"""Which class speaks to which platform. `@register_platform` and entry points register the classes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeVar

from sdk.connection.platforms.names import normal_name
from sdk.connection.platforms.platform import Platform
from sdk.errors import RegistrationError

GROUP: Final = "neops.platforms"

_BUNDLED: Final = __package__
_log = logging.getLogger(__name__)
PlatformT = TypeVar("PlatformT", bound=type[Platform])


class Registry:
    """Classes by the platform's names in inventories. An author's class replaces one that comes with the SDK."""

    def __init__(self, plugins: Callable[[], list[EntryPoint]] | None = None) -> None:
        self._classes: dict[str, type[Platform]] = {}
        self._plugins = plugins or (lambda: list(entry_points(group=GROUP)))
        self._has_plugins = False

    def add(self, names: tuple[str, ...], platform: type[Platform]) -> None:
        """Register `platform` for all of `names`.

        Raises:
            RegistrationError: no name was given, or another author's class has the name already.
        """
        where = f"{platform.__module__}.{platform.__qualname__}"
        if not names or not all(normal_name(name) for name in names):
            raise RegistrationError(
                "it is registered without a name", where=where, advice="Give the platform's short name."
            )
        for name in map(normal_name, names):
            known = self._classes.get(name)
            if known is None or not _is_authors(known) or _is_same(known, platform):
                self._classes[name] = platform
            elif _is_authors(platform):
                raise RegistrationError(
                    f"{known.__module__}.{known.__qualname__} is registered for the platform {name!r} already",
                    where=where,
                    advice="Give it another short name, or remove one of the two.",
                )

    def find(self, name: str) -> type[Platform] | None:
        """Return the class for a short name or a device type, None if nobody has registered one."""
        self._load_plugins()
        return self._classes.get(normal_name(name))

    def names(self) -> list[str]:
        """Return all registered names, in alphabetical order."""
        self._load_plugins()
        return sorted(self._classes)

    def _load_plugins(self) -> None:
        if self._has_plugins:
            return
        self._has_plugins = True
        for plugin in self._plugins():
            try:
                plugin.load()
            except Exception:
                # If one package is broken, the devices of all other packages still work.
                _log.exception(
                    "The entry point %r (%s) of %s can't be loaded.", plugin.name, plugin.value, GROUP
                )


REGISTRY: Final = Registry()


def register_platform(*names: str) -> Callable[[PlatformT], PlatformT]:
    """Register a class for platforms, by their short names in the inventory or by device types of netmiko.

    A class for a name that comes with the SDK replaces the SDK's class. The decorator works when its module is
    imported. Beside your blocks it is imported. For a separate package, name the module as an entry point in the group
    `neops.platforms`.

    Raises:
        RegistrationError: no name was given, or another author's class has the name already.
    """

    def register(platform: PlatformT) -> PlatformT:
        platform.name = normal_name(names[0]) if names else ""
        REGISTRY.add(names, platform)
        return platform

    return register


def _is_authors(platform: type[Platform]) -> bool:
    return not platform.__module__.startswith(f"{_BUNDLED}.")


def _is_same(one: type[Platform], other: type[Platform]) -> bool:
    # A module that is imported again registers its classes again.
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)
