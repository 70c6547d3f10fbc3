"""The environment of the demo's programs: this machine's, without variables that configure a worker."""

from collections.abc import Mapping
from typing import Final

from supervisor.commands.shared.program import path_of_our_code
from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.marks import MARK_VARIABLE
from supervisor.settings.run_settings import ENV_PREFIX

# systemd has set these for another program, if the demo runs in a unit.
_OF_SYSTEMD: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "STATE_DIRECTORY"})


def program_environment(source: Mapping[str, str], mark: str) -> dict[str, str]:
    """Return `source` without settings of a worker that may be there, and with the run's mark."""
    kept = {
        name: value
        for name, value in source.items()
        if not name.startswith(ENV_PREFIX)
        and name not in LEGACY_NAMES
        and name not in _OF_SYSTEMD
        # All traffic is on the loopback: no proxy may come in between.
        and not name.upper().endswith("_PROXY")
    }
    return {**kept, **path_of_our_code(source), MARK_VARIABLE: mark}
