"""A plugin: how to talk to the devices of one platform."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic

from sdk.compat.migration_hints import refusing
from sdk.logger import LoggerLike

from ...logger.adapters import logger_for
from ..exceptions import ConnectionAlreadyInitializedError, ConnectionCreationError
from .aliases import AnyConnection, ConnectionLibrary, ConnectionPlatform, ConnectionType, RawConnection
from .base_connection import device_id_of


class ConnectionPlugin(ABC, Generic[AnyConnection, RawConnection]):
    """Holds one connection to one device, and implements capabilities with it."""

    platform: ConnectionPlatform
    connection_type: ConnectionType
    connection_library: ConnectionLibrary

    def __init__(self, device: Any) -> None:
        self.device = device
        self._active_connection: AnyConnection | None = None
        self.logger = logger_for(self)

    def bind_logger(self, logger: LoggerLike | None) -> None:
        """Log to `logger` from now on."""
        self.logger = logger_for(self, logger)

    @abstractmethod
    def _create_connection(self) -> AnyConnection: ...

    def initialize_connection(self, connect: bool = True) -> None:
        """Make the connection, and open it. Raises `ConnectionAlreadyInitializedError` if one is open."""
        if self.get_raw_connection() is not None:
            raise ConnectionAlreadyInitializedError(device_id=device_id_of(self.device))
        connection = self._create_connection()
        if connect:
            connection.connect()
        self._active_connection = connection

    def teardown_connection(self) -> None:
        """Close the connection, if there is one."""
        connection, self._active_connection = self._active_connection, None
        if connection is not None:
            connection.disconnect()

    def is_connection_alive(self) -> bool:
        """Whether there is a connection that can be used."""
        return self._active_connection is not None and self._active_connection.is_alive

    def get_raw_connection(self) -> RawConnection | None:
        """The library's own connection; None while there is none."""
        if self._active_connection is None:
            return None
        raw: RawConnection | None = self._active_connection._connection_or_none
        return raw

    def require_raw_connection(self) -> RawConnection:
        """The library's own connection. Raises `ConnectionCreationError` while there is none."""
        raw = self.get_raw_connection()
        if raw is None:
            raise ConnectionCreationError("There is no open connection.", device_id_of(self.device))
        return raw


__getattr__ = refusing(__name__)
