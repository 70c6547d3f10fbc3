"""A cgroup's count of processor time: for all processes that were ever in it, with the dead ones."""

from pathlib import Path

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups.own_directories import counts

USED_FILE = {1: "cpuacct.usage", 2: "cpu.stat"}
"""By the version of the tree. Version 2 counts in every cgroup but the root, even if its `cpu` controller is not
enabled (Documentation/admin-guide/cgroup-v2.rst)."""


def used_seconds(directory: Path | str, version: int) -> float:
    """Return the processor time that was used in this cgroup. Raises `OSError` if it can't be read."""
    content = kernel_files.read(f"{directory}/{USED_FILE[version]}")
    return int(content) / 1e9 if version == 1 else counts(content)["usage_usec"] / 1e6
