"""The signal fence: what every child has, also with `--isolation off`, and the template."""

import os

from jobrunner.isolation.landlock import (
    ABI_WITH_SIGNALS,
    SCOPE_SIGNALS,
    LandlockError,
    abi_of_the_kernel,
    create_ruleset,
    restrict_thread,
)


def contain_signals() -> bool:
    """Forbid this process and its descendants to signal anything outside themselves (Landlock, Linux 6.12).

    Without it a block could stop the supervisor, or another job, with one `os.kill`. Files and network stay open.
    Returns whether the kernel can do it; where it can't, only a user of their own (`--job-users`) keeps jobs from
    signalling the supervisor.
    """
    if abi_of_the_kernel() < ABI_WITH_SIGNALS:
        return False
    try:
        ruleset = create_ruleset(0, SCOPE_SIGNALS)
    except LandlockError:
        return False
    try:
        restrict_thread(ruleset)
    except LandlockError:
        return False
    finally:
        os.close(ruleset)
    return True
