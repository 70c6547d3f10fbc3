"""Bringing up the launcher that the settings ask for, and its catalogue."""

import logging
import os

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Discovery
from supervisor.launcher import Imports, Launcher
from supervisor.launcher.confining import Confining
from supervisor.launcher.environment import job_environment
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.spawn import SpawnLauncher
from supervisor.launcher.template import TemplateLauncher
from supervisor.settings import RunSettings

_log = logging.getLogger(__name__)


async def start_launcher(settings: RunSettings, users: JobUsers | None = None) -> tuple[Launcher, Catalogue]:
    """Import the blocks and return how to start children with them. Raises `TemplateError`.

    Where importing them starts a thread, the template can't be forked: children are spawned instead, and it is said.
    """
    imports, confining = imports_of(settings), Confining(users)
    launcher: Launcher
    if settings.start_method == "spawn":
        launcher = SpawnLauncher(imports, confining)
        return launcher, await launcher.start()
    launcher = TemplateLauncher(imports, confining)
    catalogue = await launcher.start()
    if not catalogue.starts_threads:
        return launcher, catalogue
    await launcher.close()
    culprit = next(problem for problem in catalogue.problems if problem.kind == "thread")
    _log.warning("Each job gets an interpreter of its own (about half a second), because %s", culprit)
    launcher = SpawnLauncher(imports, confining)
    return launcher, await launcher.start()


def imports_of(settings: RunSettings) -> Imports:
    """Return what these settings have a launcher import."""
    return Imports(
        Discovery(tuple(settings.function_blocks)),
        job_environment(os.environ, frozenset(settings.job_env)),
        settings.import_seconds,
        Confinement(
            max_open_files=settings.max_job_open_files,
            max_file_mb=settings.max_job_file_mb,
            max_processes=settings.max_job_processes,
        ),
    )
