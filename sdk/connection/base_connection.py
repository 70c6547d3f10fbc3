"""The common part of `Connection` and `SyncConnection`: the device they reach, and whether they are entered."""

from __future__ import annotations

from typing import ClassVar

from sdk.connection.device import Device, Target
from sdk.connection.errors import SessionEndedError


class BaseConnection:
    """A device, and the session on it during its `with` or `async with`."""

    _block: ClassVar[str] = "with"

    def __init__(self, target: Target, login_seconds: float) -> None:
        self._target = target
        self._login_seconds = login_seconds
        self._device: Device | None = None

    @property
    def where(self) -> str:
        """The device's name in messages: address and port."""
        return self._target.login.where

    @property
    def host(self) -> str:
        """The address or name that is used to connect to the device."""
        return self._target.login.host

    @property
    def platform(self) -> str:
        """The short name of the device's platform."""
        return self._target.platform.name

    @property
    def netmiko_type(self) -> str:
        """Netmiko's device type for the platform."""
        return self._target.platform.netmiko_type

    @property
    def prompt(self) -> str:
        """The prompt that the device showed last."""
        return self._entered().session.prompt

    def _entered(self) -> Device:
        if self._device is None:
            raise SessionEndedError(
                f"{self.where} is not connected. Use the connection inside of its `{self._block}`.",
                where=self.where,
                retryable=False,
            )
        return self._device
