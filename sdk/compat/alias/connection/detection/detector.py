"""The detector tries one probe after the other, until one gives a clear answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sdk.compat.migration_hints import refusing
from sdk.logger import LoggerLike

from ...logger.adapters import logger_for
from .probe import PlatformProbe, get_probes
from .results import DetectionReport, ProbeResult
from .target import DetectionContext, DetectionTarget


@dataclass
class DetectionConfig:
    """The names of the probes to use, None for all. `total_budget` is the time for all together, in seconds."""

    probes: Sequence[str] | None = None
    exclude_probes: Sequence[str] = field(default_factory=tuple)
    total_budget: float = 120.0


class PlatformDetector:
    """Finds out what hosts are."""

    def __init__(self, config: DetectionConfig | None = None, logger: LoggerLike | None = None) -> None:
        self.config = config or DetectionConfig()
        self.logger = logger_for(self, logger)

    async def detect(self, target: DetectionTarget) -> DetectionReport:
        """Ask the probes; if one fails, its result says so. Raises `ProbeRegistrationError` for unknown names."""
        begun = time.monotonic()
        context = DetectionContext()
        attempts: list[ProbeResult] = []
        last = ProbeResult.inconclusive()
        for probe in get_probes(self.config.probes, self.config.exclude_probes, self.logger):
            left = begun + self.config.total_budget - time.monotonic()
            if left <= 0:
                attempts.append(ProbeResult.inconclusive(error="the time for the detection is over"))
                break
            last = await self._asked(probe, target, context, left)
            attempts.append(last)
            if last.is_terminal:
                break
        report = _report(target.host, last, attempts, begun)
        self.logger.debug("Detection: {}", report.summary())
        return report

    async def _asked(
        self, probe: PlatformProbe, target: DetectionTarget, context: DetectionContext, left: float
    ) -> ProbeResult:
        if probe.needs_credentials and not target.has_credentials:
            result = ProbeResult.inconclusive(error="there is no login for it")
            result.probe = probe.name
            return result
        begun = time.monotonic()
        limit = min(probe.timeout, left)
        try:
            async with asyncio.timeout(limit):
                result = await probe.probe(target, context)
        except TimeoutError:
            result = ProbeResult.inconclusive(error=f"no answer within {limit:.1f} s")
        except Exception as error:
            # If one probe is broken, the detector still asks the others.
            self.logger.exception("The probe {} failed", probe.name)
            result = ProbeResult.inconclusive(error=f"{type(error).__name__}: {error}")
        result.probe, result.elapsed_ms = probe.name, _milliseconds_since(begun)
        return result


def _report(host: str, last: ProbeResult, attempts: list[ProbeResult], begun: float) -> DetectionReport:
    decided = last if last.is_terminal else ProbeResult.inconclusive()
    names = [each.hostname for each in reversed(attempts) if each.hostname]
    return DetectionReport(
        host,
        decided.outcome,
        decided.platform,
        decided.reason,
        names[0] if names else None,
        attempts,
        _milliseconds_since(begun),
    )


def _milliseconds_since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)


async def detect_platform(
    host: str,
    username: str | None = None,
    password: str | None = None,
    config: DetectionConfig | None = None,
) -> DetectionReport:
    """Find out what a host is, at port 22."""
    return await PlatformDetector(config).detect(DetectionTarget(host, username, password))


__getattr__ = refusing(__name__)
