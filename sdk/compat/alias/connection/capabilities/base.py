"""The root of the interfaces."""

from abc import ABC

from sdk.compat.migration_hints import refusing


class CapabilityInterface(ABC):  # noqa: B024  # the methods are in its subclasses
    """A set of methods that a plugin may have, and a proxy offers."""


__getattr__ = refusing(__name__)
