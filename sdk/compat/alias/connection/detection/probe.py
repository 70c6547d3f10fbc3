"""A probe: one way to find out what a host is. Authors register their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from sdk.compat.migration_hints import refusing
from sdk.logger import LoggerLike

from ...logger.adapters import logger_for
from .results import ProbeResult
from .target import DetectionContext, DetectionTarget

ProbeT = TypeVar("ProbeT", bound="type[PlatformProbe]")


class ProbeRegistrationError(Exception):
    """A probe can't be registered, or a name is used that no registered probe has."""


class PlatformProbe(ABC):
    """One way to find out a platform. The lowest `order` is tried first; `timeout` is in seconds."""

    name: ClassVar[str] = ""
    order: ClassVar[int] = 100
    timeout: ClassVar[float] = 10.0
    needs_credentials: ClassVar[bool] = False

    def __init__(self, logger: LoggerLike | None = None) -> None:
        self.logger = logger_for(self, logger)

    @abstractmethod
    async def probe(self, target: DetectionTarget, ctx: DetectionContext) -> ProbeResult:
        """Look at the host. If the probe can't decide, it returns `ProbeResult.inconclusive`."""


_probes: list[type[PlatformProbe]] = []


def register_platform_probe(cls: ProbeT) -> ProbeT:
    """Register the decorated probe. Raises `ProbeRegistrationError`."""
    if not (isinstance(cls, type) and issubclass(cls, PlatformProbe)):
        raise ProbeRegistrationError(f"{cls!r} is no class that derives from PlatformProbe.")
    if not cls.name:
        raise ProbeRegistrationError(f"The probe {cls.__name__} has no name. Set `name` in its class.")
    if cls.name in registered_probe_names():
        raise ProbeRegistrationError(f"There is a probe with the name {cls.name!r} already. Choose another.")
    _probes.append(cls)
    return cls


def get_probes(
    include: Sequence[str] | None = None, exclude: Sequence[str] = (), logger: Any = None
) -> list[PlatformProbe]:
    """The probes, in the order of `include` if given. Raises `ProbeRegistrationError` for an unknown name."""
    names = registered_probe_names() if include is None else include
    by_name = {probe.name: probe for probe in _probes}
    if unknown := [name for name in names if name not in by_name]:
        raise ProbeRegistrationError(f"No probe is registered as {', '.join(map(repr, unknown))}.")
    return [by_name[name](logger) for name in names if name not in exclude]


def registered_probe_names() -> list[str]:
    """The names of the probes, in the order in which they are tried."""
    return [probe.name for probe in sorted(_probes, key=lambda each: (each.order, each.name))]


__getattr__ = refusing(__name__)
