"""Whether anything listens on the port."""

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
    """Opens a connection and closes it. Most addresses of a network do not answer; no login is needed to see that."""

    name = "tcp"
    order = 10
    timeout = 3.0

    async def probe(self, target: DetectionTarget, ctx: DetectionContext) -> ProbeResult:
        """Say that nothing listens there, or leave the answer to the other probes."""
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
