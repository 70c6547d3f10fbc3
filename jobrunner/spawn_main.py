"""A child with an interpreter of its own (`--start-method spawn`): slower to start, shares nothing."""

import os
import traceback
from typing import NoReturn

from jobrunner.bootstrap import become_child
from jobrunner.child import live
from jobrunner.discovery import discover
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Descriptors, Discovery
from jobrunner.protocol.exit_codes import BROKEN


def run(
    supervisor_pid: int, descriptors: Descriptors, discovery: Discovery, confinement: Confinement
) -> NoReturn:
    """Import the blocks, then live as any other child does."""
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    try:
        started = become_child(supervisor_pid, descriptors, confinement)
        discover(discovery, lambda module: None)
        live(started)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(BROKEN)
