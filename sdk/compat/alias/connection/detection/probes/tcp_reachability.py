"""Whether anything listens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from sdk.compat.migration_hints import refusing

from ..probe import PlatformProbe, register_platform_probe
from ..results import ExclusionReason, ProbeResult
from ..target import DetectionContext, DetectionTarget

_CONNECT_SECONDS: Final = 2.0


@register_platform_probe
class TcpReachabilityProbe(PlatformProbe):
    """Opens a connection and closes it: most addresses of a network answer nothing, and need no login to tell."""

    name = "tcp"
    order = 10
    timeout = 3.0

    async def probe(self, target: DetectionTarget, ctx: DetectionContext) -> ProbeResult:
        """Say that nothing listens there, or leave it to the others."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(target.host, target.port)
        except (OSError, TimeoutError) as error:
            evidence = str(error) or f"no answer within {_CONNECT_SECONDS:g} s"
            return ProbeResult.not_a_device(ExclusionReason.TCP_UNREACHABLE, evidence=evidence)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return ProbeResult.inconclusive()


__getattr__ = refusing(__name__)
