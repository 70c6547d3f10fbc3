"""The connection that a plugin holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sdk.compat.migration_hints import refusing

from ...logger.adapters import logger_for
from ..exceptions import ConnectionNotInitializedError, ConnectionValidationError

RawConnection = TypeVar("RawConnection")
AnyConnection = TypeVar("AnyConnection", bound="BaseConnection")  # type: ignore[type-arg]  # of any raw connection


def device_id_of(device: Any) -> str | None:
    """The id of a device as text; None if it has none."""
    number = getattr(device, "id", None)
    return None if number is None else str(int(number))


def device_log_context(device: Any) -> dict[str, str]:
    """The fields that name a device in a log line."""
    platform = getattr(getattr(device, "platform", None), "short_name", None)
    return {"platform": platform or "unknown", "device_ip": getattr(device, "ip", None) or "unknown"}


@dataclass
class DeviceCredentials:
    """The login to a device."""

    ip: str
    username: str
    password: str = field(repr=False)


class BaseConnection(ABC, Generic[RawConnection]):
    """Wraps the connection of a library. The author of a subclass says how to open and close it."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.logger = logger_for(self)
        self.__raw: RawConnection | None = None

    @abstractmethod
    def connect(self, **kwargs: Any) -> None:
        """Open the connection, and set `self._connection`."""

    @abstractmethod
    def _close_raw(self, connection: RawConnection) -> None: ...

    @property
    @abstractmethod
    def is_alive(self) -> bool:
        """Whether the connection can be used."""

    @property
    def _connection(self) -> RawConnection:
        if self.__raw is None:
            raise ConnectionNotInitializedError(device_id=self._device_id)
        return self.__raw

    @_connection.setter
    def _connection(self, connection: RawConnection) -> None:
        self.__raw = connection

    @property
    def _connection_or_none(self) -> RawConnection | None:
        return self.__raw

    @property
    def _device_id(self) -> str | None:
        return device_id_of(self.device)

    def disconnect(self) -> None:
        """Close the connection, if open. An error is only logged: it would hide an error of the work before."""
        raw, self.__raw = self.__raw, None
        if raw is None:
            return
        try:
            self._close_raw(raw)
        except Exception as error:
            self.logger.warning(f"Closing the connection raised {type(error).__name__}: {error}")

    def _require_ip(self, library: str) -> str:
        return str(self._required(library, "ip")["ip"])

    def _require_credentials(self, library: str) -> DeviceCredentials:
        return DeviceCredentials(**self._required(library, "ip", "username", "password"))

    def _required(self, library: str, *fields: str) -> dict[str, str]:
        found = {name: getattr(self.device, name, None) for name in fields}
        if missing := [name for name, value in found.items() if not value]:
            raise self._missing_fields_error(library, missing)
        return {name: str(value) for name, value in found.items()}

    def _missing_fields_error(self, library: str, missing: list[str]) -> ConnectionValidationError:
        return ConnectionValidationError(
            f"{library} can't connect to a device that lacks {', '.join(missing)}", self._device_id, missing
        )


__getattr__ = refusing(__name__)
