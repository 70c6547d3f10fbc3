"""Finds out a platform by a login: first as `sdk.connection` does, then by the plugins' signatures."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

from sdk.compat.migration_hints import refusing
from sdk.connection.causes import Cause
from sdk.connection.errors import DeviceError
from sdk.connection.login import Login

from ..probe import PlatformProbe, register_platform_probe
from ..results import ExclusionReason, ProbeResult
from ..signatures import Plan, command_plan
from ..target import DetectionContext, DetectionTarget

if TYPE_CHECKING:
    from sdk.connection.deadline import Deadline
    from sdk.connection.platforms.platform import DeviceSession

POSIX_DISCRIMINATOR: Final = "uname -s"

_REASONS: Final = {
    Cause.NOT_SSH: ExclusionReason.NON_SSH_SERVICE,
    Cause.NO_BANNER: ExclusionReason.NON_SSH_SERVICE,
    Cause.WRONG_PASSWORD: ExclusionReason.AUTH_FAILED,
    Cause.NO_LOGIN_METHOD: ExclusionReason.AUTH_FAILED,
    Cause.SECOND_FACTOR: ExclusionReason.AUTH_FAILED,
}
_NAMES: Final = {"iosxe": "ios"}
"""Platforms that plugins of the other SDK call by another name than `sdk.connection` does."""


@register_platform_probe
class ExecCommandProbe(PlatformProbe):
    """Logs in once and asks. It sends the password to no host whose key has changed."""

    name = "exec"
    order = 25
    timeout = 30.0
    needs_credentials = True

    async def probe(self, target: DetectionTarget, ctx: DetectionContext) -> ProbeResult:
        """Log in and ask. If that gives no answer, for whatever reason, the result is inconclusive."""
        from sdk.connection.detection import in_one_session  # also loads threads and netmiko

        plan = command_plan()
        login = Login(target.host, target.username or "", target.port, target.password)
        try:
            return await in_one_session(
                login,
                lambda session, end: _told(session, end, plan, ctx.outputs),
                login_seconds=target.connect_timeout,
                timeout=self.timeout,
            )
        except DeviceError as error:
            reason = _REASONS.get(error.cause)
            if reason is None:
                return ProbeResult.inconclusive(error=str(error))
            return ProbeResult.not_a_device(reason, evidence=str(error))


def _told(
    session: DeviceSession, deadline: Deadline, plan: Plan, outputs: MutableMapping[str, str]
) -> ProbeResult:
    from sdk.connection.platforms.probing import probe

    found = probe(session, deadline=deadline)
    if found.platform is not None and found.platform != "linux":
        return ProbeResult.detected(_NAMES.get(found.platform, found.platform), evidence=found.evidence)
    for command, entries in plan:
        if command not in outputs:
            outputs[command] = session.send(command, deadline=deadline).text
        for platform, signature in entries:
            if signature.matches(outputs[command]):
                return ProbeResult.detected(platform, evidence=_line_of(signature.pattern, outputs[command]))
    if found.has_shell:
        return ProbeResult.not_a_device(ExclusionReason.POSIX_SHELL_ONLY, evidence=found.evidence)
    return ProbeResult.inconclusive()


def _line_of(pattern: str, output: str) -> str:
    match: Any = re.search(pattern, output, re.IGNORECASE | re.MULTILINE)
    before, after = output[: match.start()], output[match.end() :]
    return before.rpartition("\n")[2] + str(match[0]) + after.partition("\n")[0]


__getattr__ = refusing(__name__)
