"""Looking for what a worker may have left in this machine's cgroups."""

import os
from pathlib import Path

from supervisor.process.cgroups.detection import own_cgroups
from supervisor.process.cgroups.identity import directory_name, identity_of


def directories_of(state_directory: Path) -> list[Path]:
    """The worker's directories that are there, and all below them."""
    name = directory_name(identity_of(state_directory))
    tops = [Path(own.path, name) for own in own_cgroups()]
    return [Path(folder) for top in tops for folder, _, _ in os.walk(top)]
