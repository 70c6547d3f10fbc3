"""The outcome of one device among many."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from sdk.connection.errors import DeviceError

DeviceT = TypeVar("DeviceT")
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class DeviceOutcome(Generic[DeviceT, ValueT]):
    """What `for_each_device` returns for one device: what the function returned, or the error it raised.

    `seconds` is how long the device took, without the wait for its turn.
    """

    device: DeviceT
    value: ValueT | None
    """What the function returned; None if it failed, or if it returned None."""
    error: Exception | None = field(default=None, repr=False)
    """What it raised: a `DeviceError`, or another exception, which is a mistake in the function."""
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return self.error is None

    @property
    def name(self) -> str:
        """The device's name, or its address, or its id: see `name_of`."""
        return name_of(self.device)

    @property
    def cause(self) -> str | None:
        """The `Cause` of a `DeviceError`, the class name of any other exception; None after a success."""
        if isinstance(self.error, DeviceError):
            return str(self.error.cause)
        return None if self.error is None else type(self.error).__name__

    @property
    def retryable(self) -> bool:
        """Whether another try can help: only after a `DeviceError` that says so."""
        return isinstance(self.error, DeviceError) and self.error.retryable

    @property
    def message(self) -> str:
        """What went wrong, for people; empty after a success.

        The text of an exception that is not a `DeviceError` stays in the log: it may hold anything.
        """
        if self.error is None:
            return ""
        if isinstance(self.error, DeviceError):
            return str(self.error)
        return f"The function for {self.name} raised {self.cause}. The traceback is in the job's log."

    def result(self) -> ValueT:
        """Return what the function returned. Raises what it raised."""
        if self.error is not None:
            raise self.error
        return cast("ValueT", self.value)


def name_of(device: Any) -> str:
    """Return a device's name for people: its `hostname`, otherwise its `ip`, otherwise `device` and its id.

    An object without any of them, such as a plain string, is named by its own text.
    """
    hostname, ip, identity = (
        device.get(key) if isinstance(device, dict) else getattr(device, key, None)
        for key in ("hostname", "ip", "id")
    )
    if hostname or ip:
        return str(hostname or ip)
    return str(device) if identity is None else f"device {identity}"
