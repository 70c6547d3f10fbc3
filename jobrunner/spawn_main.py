"""A child with its own interpreter (`--start-method spawn`): slower to start, shares nothing."""

import os
import socket
from typing import NoReturn

from jobrunner.bootstrap import become_child, tie_life_to
from jobrunner.child import live
from jobrunner.discovery import discover
from jobrunner.isolation.child import SpawnedIsolation
from jobrunner.middle import be_the_middle
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Descriptors, Discovery
from jobrunner.protocol.isolation import Isolation


def run(
    supervisor_pid: int,
    control_fd: int,
    descriptors: Descriptors,
    discovery: Discovery,
    confinement: Confinement,
    isolation: Isolation,
) -> NoReturn:
    """Fork before there is anything to copy. The child imports the blocks, then lives like any other."""
    tie_life_to(supervisor_pid)
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

    def be_the_child() -> NoReturn:
        child_isolation = SpawnedIsolation(isolation)
        started = become_child(supervisor_pid, descriptors, confinement, child_isolation)
        discover(discovery, lambda module: None, with_digests=False)  # the supervisor has them
        live(started, confinement.max_open_files, child_isolation)

    be_the_middle(socket.socket(fileno=control_fd), 0, be_the_child)
