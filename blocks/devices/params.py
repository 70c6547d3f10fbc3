"""What the blocks that talk to a device have in common: how to reach it, and how long it may take."""

from pydantic import Field

from sdk import DeviceEntity, FunctionBlockParams
from sdk.connection import Connection, connect


class DeviceParams(FunctionBlockParams):
    """How to reach the device, and how long it may take. The login comes from the inventory."""

    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="TCP port of the SSH service; default: that of the device's connection options, else 22",
    )
    login_timeout_seconds: float = Field(
        default=30, ge=0.1, le=300, description="For connection and first prompt"
    )
    read_timeout_seconds: float = Field(
        default=60, ge=0.1, le=600, description="For each answer of the device"
    )

    def connect(
        self,
        device: DeviceEntity | None,
        *needs: type,
        platform: str | None = None,
        max_output_bytes: int | None = None,
    ) -> Connection:
        """Return the connection to the job's device under these limits, for an `async with`.

        `platform` replaces the inventory's platform; `max_output_bytes` is the limit for one command.

        Raises `DeviceError` if the inventory lacks something, or the platform lacks a function that is needed.
        """
        return connect(
            device,
            needs=needs,
            login_seconds=self.login_timeout_seconds,
            parameters=self,
            platform=platform,
            max_output_bytes=max_output_bytes,
        )
