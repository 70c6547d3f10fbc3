"""The signal fence. Every child has it, even with `--isolation off`, and so has the template."""

import os

from jobrunner.isolation.landlock import (
    REFER,
    SCOPE_SIGNALS,
    LandlockError,
    abi_of_the_kernel,
    allow_beneath,
    create_ruleset,
    restrict_thread,
)
from jobrunner.protocol.isolation import ABI_WITH_SIGNALS


def contain_signals(*, below_it_file_rules: bool = False) -> bool:
    """Forbid this process and its descendants to signal anything outside themselves (Landlock, Linux 6.12).

    Without it a block could stop the supervisor, or another job, with one `os.kill`. Files and network stay open.
    Returns whether the kernel can do it. If it can't, only separate users (`--job-users`) keep jobs from signalling
    the supervisor.

    With `below_it_file_rules`, descendants of this process give up files later. A file can be moved or linked to
    another place only if every set of rules allows it, so this one does. It then forbids mounting, as any set of
    rules about files does.
    """
    if abi_of_the_kernel() < ABI_WITH_SIGNALS:
        return False
    try:
        ruleset = create_ruleset(REFER if below_it_file_rules else 0, SCOPE_SIGNALS)
    except LandlockError:
        return False
    try:
        if below_it_file_rules:
            _allow_moving(ruleset)
        restrict_thread(ruleset)
    except OSError:
        return False
    finally:
        os.close(ruleset)
    return True


def _allow_moving(ruleset: int) -> None:
    root = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        allow_beneath(ruleset, root, REFER)
    finally:
        os.close(root)
