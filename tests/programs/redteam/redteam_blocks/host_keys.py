"""A job that reports host keys which its devices have never shown."""

import base64
import os
import struct

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)
from sdk.known_hosts import known_hosts

from .attacking import attacking, send


class HostKeysParams(FunctionBlockParams):
    """Which addresses and ports are reported, and how often each."""

    reported: list[tuple[str, int]] = Field(default_factory=list, description="Addresses and ports")
    times: int = Field(default=1, description="How often each, with another key each time")
    asked: list[tuple[str, int]] = Field(
        default_factory=list, description="Whose keys it tells that it knows"
    )


class HostKeysResult(FunctionBlockResultData):
    """The keys that the job knows, by `address:port`."""

    known: dict[str, list[str]]


@register_function_block(
    attacking("host_keys", "Reports host keys that it has made up", HostKeysParams, HostKeysResult)
)
class HostKeys(FunctionBlock[HostKeysParams, HostKeysResult]):
    """Reports host keys that it has made up."""

    async def run(
        self, params: HostKeysParams, context: WorkflowContext
    ) -> FunctionBlockResult[HostKeysResult]:
        known = {
            f"{host}:{port}": [key for _, key in known_hosts().keys_of(host, port)]
            for host, port in params.asked
        }
        for _ in range(params.times):
            for host, port in params.reported:
                send(
                    {
                        "type": "host_key",
                        "host": host,
                        "port": port,
                        "key_type": "ssh-ed25519",
                        "key": _made_up(),
                    }
                )
        return FunctionBlockResult(success=True, message="Done", data=HostKeysResult(known=known))


def _made_up() -> str:
    parts = (b"ssh-ed25519", os.urandom(32))
    return base64.b64encode(b"".join(struct.pack("!I", len(part)) + part for part in parts)).decode()
