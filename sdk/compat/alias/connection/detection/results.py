"""What a detection has found: the result of each probe, and of all together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sdk.compat.migration_hints import refusing

MAX_EVIDENCE_CHARS: Final = 200


class DetectionOutcome(StrEnum):
    """What a probe has found out about a host. The first two values end a detection."""

    DETECTED = "detected"
    NOT_A_DEVICE = "not_a_device"
    INCONCLUSIVE = "inconclusive"


class ExclusionReason(StrEnum):
    """Why a host is not a device that can be talked to."""

    TCP_UNREACHABLE = "tcp_unreachable"
    NON_SSH_SERVICE = "non_ssh_service"
    AUTH_FAILED = "auth_failed"
    POSIX_SHELL_ONLY = "posix_shell_only"


@dataclass
class ProbeResult:
    """What one probe has found. The detector fills in `probe` and `elapsed_ms`."""

    outcome: DetectionOutcome
    platform: str | None = None
    reason: ExclusionReason | None = None
    evidence: str = ""
    hostname: str | None = None
    error: str | None = None
    probe: str = ""
    elapsed_ms: int = 0

    @property
    def is_terminal(self) -> bool:
        """Whether no further probe is needed."""
        return self.outcome != DetectionOutcome.INCONCLUSIVE

    @classmethod
    def detected(cls, platform: str, *, evidence: str = "", hostname: str | None = None) -> ProbeResult:
        """The host is a device of this platform."""
        return cls(
            DetectionOutcome.DETECTED, platform=platform, evidence=_on_one_line(evidence), hostname=hostname
        )

    @classmethod
    def not_a_device(cls, reason: ExclusionReason, *, evidence: str = "") -> ProbeResult:
        """The host is not a device, for this reason."""
        return cls(DetectionOutcome.NOT_A_DEVICE, reason=reason, evidence=_on_one_line(evidence))

    @classmethod
    def inconclusive(cls, *, error: str | None = None, hostname: str | None = None) -> ProbeResult:
        """This probe can't tell."""
        return cls(DetectionOutcome.INCONCLUSIVE, error=error, hostname=hostname)


@dataclass
class DetectionReport:
    """What a host is, and how that was found out."""

    host: str
    outcome: DetectionOutcome
    platform: str | None = None
    reason: ExclusionReason | None = None
    hostname: str | None = None
    attempts: list[ProbeResult] = field(default_factory=list)
    elapsed_ms: int = 0

    @property
    def detected(self) -> bool:
        """Whether the platform is known."""
        return self.outcome == DetectionOutcome.DETECTED

    def summary(self) -> str:
        """The outcome, and what each probe said, in one line."""
        found = f"{self.outcome}={self.platform}" if self.platform else str(self.outcome)
        trail = " -> ".join(
            f"{each.probe}:{each.outcome}" + (f"/{each.reason}" if each.reason else "")
            for each in self.attempts
        )
        return f"{self.host}: {found} [{trail}]"


def _on_one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_EVIDENCE_CHARS else f"{line[: MAX_EVIDENCE_CHARS - 1]}…"


__getattr__ = refusing(__name__)
