"""The plugin for devices with an unknown platform. It can only find out the platform."""

from __future__ import annotations

from typing import Any, NoReturn

from sdk.compat.migration_hints import refusing
from sdk.connection.options import OptionsError, options_in

from ...capabilities.platform_detection import PlatformDetectionCapability
from ...detection.constants import (
    DETECTION_CONNECTION_LIBRARY,
    DETECTION_CONNECTION_TYPE,
    DETECTION_PLATFORM,
)
from ...detection.detector import DetectionConfig, PlatformDetector
from ...detection.results import DetectionReport
from ...detection.target import DetectionTarget
from ...exceptions import ConnectionCreationError
from ...types.base_connection import BaseConnection, device_id_of
from ...types.connection_plugin import ConnectionPlugin


class NullConnection(BaseConnection[object]):
    """No connection: each probe makes its own."""

    def connect(self, **kwargs: Any) -> NoReturn:
        """Raise `NotImplementedError`: there is nothing to connect to yet."""
        raise NotImplementedError(
            "A detection has no connection of its own. Get its proxy with connect=False."
        )

    def _close_raw(self, connection: object) -> None:
        """Do nothing: there is no connection."""

    @property
    def is_alive(self) -> bool:
        """Never."""
        return False


class PlatformDetectionPlugin(ConnectionPlugin[NullConnection, object], PlatformDetectionCapability):
    """Finds out the platform of the host at a device's address, and at the port in its connection options.

    A host, username and password in these options are used only if the device itself has none, as for every login.
    """

    platform = DETECTION_PLATFORM
    connection_type = DETECTION_CONNECTION_TYPE
    connection_library = DETECTION_CONNECTION_LIBRARY

    def _create_connection(self) -> NullConnection:
        return NullConnection(self.device)

    async def detect_platform(self, config: DetectionConfig | None = None) -> DetectionReport:
        """Ask all probes, or those of `config`. Raises `ConnectionCreationError` for options that can't be read."""
        try:
            options = options_in(getattr(self.device, "connection_options", None))
        except OptionsError as error:
            text = f"The connection options can't be used, because {error}."
            raise ConnectionCreationError(text, device_id_of(self.device)) from None
        target = DetectionTarget.from_device(self.device, port=options.get("port") or 22)
        target.host = target.host or getattr(self.device, "hostname", None) or options.get("host") or ""
        target.username = target.username or options.get("username")
        target.password = target.password or options.get("password")
        return await PlatformDetector(config, self.logger).detect(target)


__getattr__ = refusing(__name__)
