"""All checks, in the order in which they are shown."""

from collections.abc import Awaitable, Callable
from typing import Final

from supervisor.commands.doctor import (
    cgroups,
    credentials,
    installation,
    isolation,
    kernel,
    probes,
    users,
    variables,
)
from supervisor.commands.doctor.finding import Finding, failed
from supervisor.settings.run_settings import DaemonSettings

CHECKS: Final[tuple[Callable[[DaemonSettings], Finding | None], ...]] = (
    kernel.python,
    installation.package_names,
    variables.variable_names,
    kernel.pidfd,
    kernel.subreaper,
    kernel.children_lists,
    isolation.isolation,
    kernel.process_groups,
    users.job_users,
    users.control_group,
    cgroups.cgroups,
    kernel.ping,
    installation.open_files,
    installation.state_directory,
    credentials.credentials,
    kernel.clock,
    installation.systemd,
)
"""Checks that only look. `None` means that there was nothing to check."""

OUTSIDE: Final[tuple[Callable[[DaemonSettings], Awaitable[Finding | None]], ...]] = (
    probes.blocks,
    probes.engine,
)
"""Checks that start a process or send a request."""


async def examine(settings: DaemonSettings) -> list[Finding]:
    """Do every check. A check that raises counts as failed, and the others go on."""
    findings: list[Finding | None] = []
    for check in CHECKS:
        try:
            findings.append(check(settings))
        except Exception as error:  # a machine may have any fault
            findings.append(_broken(check.__name__, error))
    for outside_check in OUTSIDE:
        try:
            found = await outside_check(settings)
        except Exception as error:
            found = _broken(outside_check.__name__, error)
        findings.append(found)
    return [finding for finding in findings if finding is not None]


def _broken(name: str, error: Exception) -> Finding:
    text = f"This could not be checked: {type(error).__name__}: {error}."
    return failed(name.replace("_", " "), text, "Please report it.")
