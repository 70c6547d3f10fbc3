"""Cgroups: whether this process may make one for each job. It only looks: a service has other cgroups."""

import os
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files
from supervisor.commands.doctor.finding import Finding, ok, warning
from supervisor.process.cgroups.detection import own_cgroups
from supervisor.process.cgroups.own_directories import OwnDirectory
from supervisor.settings.run_settings import DaemonSettings

_CONTROLLERS: Final = ("memory", "pids")
_WITHOUT: Final = "the worker kills by process groups and measures memory itself"


def cgroups(settings: DaemonSettings) -> Finding:
    """Whether each job could get a cgroup of its own if the worker were started here."""
    if settings.cgroups == "off":
        return ok("cgroups", f"not used because of --cgroups off: {_WITHOUT}")
    own = own_cgroups()
    if not own:
        return ok("cgroups", f"none of this process can be seen under /sys/fs/cgroup: {_WITHOUT}")
    usable = [one for one in own if os.access(one.path, os.W_OK)]
    if not usable:
        return ok(
            "cgroups",
            f"{own[0].path} can't be written here: {_WITHOUT}. Under systemd, Delegate=yes opens the service's",
        )
    places = ", ".join(one.path for one in usable)
    offered = frozenset[str]().union(*(_offered(one) for one in usable))
    if lacking := [name for name in _CONTROLLERS if name not in offered]:
        return warning(
            "cgroups",
            f"Each job gets one, but {places} offers no {' and no '.join(lacking)}: the worker measures that itself.",
            "Let the cgroup above hand down what is missing (Delegate=yes in the unit).",
        )
    return ok("cgroups", f"each job gets one, below {places}")


def _offered(directory: OwnDirectory) -> frozenset[str]:
    if directory.version == 1:
        return directory.controllers
    return frozenset(kernel_files.read(Path(directory.path, "cgroup.controllers")).decode().split())
