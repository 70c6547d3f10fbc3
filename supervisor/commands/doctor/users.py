"""Jobs with their own users."""

import os

from supervisor.commands.doctor.finding import Finding, failed, ok, warning
from supervisor.launcher.shared_directories import shared_directories
from supervisor.process import kernel_isolation
from supervisor.process.user_numbers import parse_users
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control_socket.group import NoSuchGroupError, group_number, is_member
from supervisor.worker.job_users import missing_capabilities, problems_of_job_users, refusal_to_give


def job_users(settings: DaemonSettings) -> Finding:
    """Whether jobs run as their own users, and whether they could."""
    if settings.job_users is None:
        is_root = os.geteuid() == 0
        apart = settings.isolation == "kernel" and kernel_isolation.detect().landlock_abi > 0
        text = "jobs run as the worker's own user"
        if apart and not is_root:
            return ok("job users", f"{text}; the check `isolation` says what the kernel keeps from them")
        # Rules for files apply to root too, but root can read the disk itself.
        text += (
            ", root, which can read the disks directly, past every rule for files"
            if apart
            else " and can read all that the worker can read"
        )
        if not missing_capabilities():
            return warning(
                "job users", text[0].upper() + text[1:] + ".", "Give them users of their own: --job-users."
            )
        return ok("job users", text)
    problems = problems_of_job_users(settings, spares=settings.spares)
    if not problems and settings.state_dir.is_dir():
        refusal = refusal_to_give(settings.state_dir, parse_users(settings.job_users)[0])
        problems += [] if refusal is None else [refusal.reason]
    if problems:
        return failed("job users", " ".join(problems), "The worker does not start like this.")
    found = shared_directories()
    text = f"each child gets one of {settings.job_users}; what its job leaves in {', '.join(found.paths)} is removed"
    if not found.complete:
        return warning(
            "job users",
            f"{text[0].upper()}{text[1:]}; not all directories were searched.",
            "Remove directories that every user may write to, or make sure that jobs leave nothing in them.",
        )
    return ok("job users", text)


def control_group(settings: DaemonSettings) -> Finding | None:
    """Whether the members of `--control-group` can get access. `None`: no group is set."""
    name = settings.control_group
    try:
        group = group_number(name)
    except NoSuchGroupError:
        return warning("control group", f"There is no group {name}.", "Make it, or change --control-group.")
    if group is None:
        return None
    if not is_member(group):
        return warning(
            "control group",
            f"User {os.geteuid()} is not in the group {name}, and can't let its members ask the worker.",
            "Put the worker's user into it (in the unit: SupplementaryGroups=; deploy/README.md).",
        )
    return ok(
        "control group", f"members of {name} may ask the worker, too, if they can reach the runtime directory"
    )
