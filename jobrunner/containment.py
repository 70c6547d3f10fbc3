"""What a process does to itself before it may run code of a block."""

import contextlib
import ctypes
import os
import resource
import struct
from typing import Final

from jobrunner.protocol import linux

# Landlock's system calls have these numbers on every architecture (they came after the numbers were unified).
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_CREATE_RULESET_VERSION: Final = 1
_SCOPE_SIGNAL: Final = 1 << 1
_FIRST_ABI_WITH_SCOPES: Final = 6

_OOM_SCORE_ADJ: Final = "500"


def contain_signals() -> bool:
    """Forbid this process and its descendants to signal anything outside themselves (Landlock, Linux 6.12).

    Without it a block could stop the supervisor, or another job, with one `os.kill`. Returns whether the kernel
    can do it; where it can't, only a user of their own (`--job-users`) keeps jobs from signalling the supervisor.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION) < _FIRST_ABI_WITH_SCOPES:
        return False
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped. Files and network stay open.
    attributes = struct.pack("QQQ", 0, 0, _SCOPE_SIGNAL)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        return bool(libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def contain() -> None:
    """Apply the limits that every child has: no core file, first to go when memory runs out, no new privileges."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(_OOM_SCORE_ADJ)
    linux.forbid_new_privileges()
    contain_signals()
