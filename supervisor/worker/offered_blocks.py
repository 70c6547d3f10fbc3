"""Starts the launcher that the settings ask for, and gets its catalogue."""

import logging
import os
from typing import Final

from jobrunner.protocol.catalogue import Catalogue, ImportProblem
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Discovery
from supervisor.launcher import Imports, Launcher
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.environment import job_environment
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.spawn_launcher import SpawnLauncher
from supervisor.launcher.template import TemplateLauncher
from supervisor.lifecycle.intake import one_line
from supervisor.log.event import tell
from supervisor.log.events.blocks import (
    BlockIdHasHyphen,
    BlocksChanged,
    BlocksGone,
    BlockSlotsUnused,
    InterpreterForEachJob,
    ModuleFailed,
    ModuleLeftOut,
    ModulesLeftOut,
)
from supervisor.process.open_files import allow_most, most_of_a_job
from supervisor.settings.block_slots import parse_block_slots, unknown_in, with_block_slots
from supervisor.settings.run_settings import DaemonSettings, RunSettings
from supervisor.worker.isolation import isolation_of

_LONGEST_PROBLEM_CHARS: Final = 500

_log = logging.getLogger(__name__)


async def start_launcher(settings: RunSettings, users: JobUsers | None = None) -> tuple[Launcher, Catalogue]:
    """Import the blocks and return how to start children with them. Raises `TemplateError`.

    Children need descriptors of this process: it raises its own limit as far as it may.

    If an import starts a thread, the template can't be forked: then children are spawned, and the log says so.
    """
    allow_most()
    imports, confinement_pool = imports_of(settings), ConfinementPool(users)
    launcher: Launcher
    if settings.start_method == "spawn":
        launcher = SpawnLauncher(imports, confinement_pool)
        return launcher, await launcher.start()
    launcher = TemplateLauncher(imports, confinement_pool, tell_come_back)
    catalogue = await launcher.start()
    if not catalogue.starts_threads:
        return launcher, catalogue
    # Not closed: the next launcher gets the job users. A closed launcher would lose each user whose clean-up fails.
    await launcher.end_templates()
    tell(_log, InterpreterForEachJob(reason=str(catalogue.of_kind("thread")[0])))
    launcher = SpawnLauncher(imports, confinement_pool)
    return launcher, await launcher.start()


def imports_of(settings: RunSettings) -> Imports:
    """Return what a launcher must import with these settings."""
    return Imports(
        Discovery(tuple(settings.function_blocks), import_all=settings.import_all_modules),
        job_environment(os.environ, frozenset(settings.job_env)),
        settings.import_seconds,
        Confinement(
            max_open_files=most_of_a_job(settings.max_job_open_files),
            max_file_mb=settings.max_job_file_mb,
            max_processes=settings.max_job_processes,
        ),
        isolation_of(settings),
    )


def tell_left_out(catalogue: Catalogue) -> None:
    """Log how many modules were not imported; at debug level, which ones and why."""
    if not catalogue.left_out:
        return
    tell(_log, ModulesLeftOut(modules=len(catalogue.left_out)))
    for module in catalogue.left_out:
        tell(_log, ModuleLeftOut(module=str(module)))


def tell_hyphens(catalogue: Catalogue) -> None:
    """Log which blocks have an id that older engines refuse (engine contract: block ids)."""
    for block in catalogue.blocks:
        if "-" in block.id:
            tell(_log, BlockIdHasHyphen(block=block.id))


def with_slots_set(catalogue: Catalogue, settings: DaemonSettings) -> Catalogue:
    """Return the catalogue with the slots that `--block-slots` sets. Logs which of these settings have no effect."""
    slots = parse_block_slots(settings.block_slots)
    for block in unknown_in(slots, catalogue):
        tell(_log, BlockSlotsUnused(block=block))
    return with_block_slots(catalogue, slots)


def tell_problem(problem: ImportProblem) -> None:
    """Log why a module's blocks are missing, or which other effect the module has on this worker."""
    failed = ModuleFailed(
        file=problem.file,
        line_number=problem.line,
        # A module of a file below a directory of blocks has a name that only this worker knows.
        module=None if problem.file else problem.module,
        kind=problem.kind,
        problem=str(problem),
        import_traceback=problem.traceback,
    )
    tell(_log, failed)


def tell_come_back(in_force: Catalogue, imported: Catalogue) -> None:
    """Log how the imports of a template that replaced a dead one differ from the blocks in force, which are offered."""
    for problem in imported.problems:
        if problem not in in_force.problems:
            tell_problem(problem)
    offered = {block.id: block.code_digest for block in in_force.blocks}
    there = {block.id: block.code_digest for block in imported.blocks}
    if gone := sorted(offered.keys() - there.keys()):
        tell(_log, BlocksGone(blocks=", ".join(gone)))
    if changed := sorted(block for block in offered.keys() & there.keys() if offered[block] != there[block]):
        tell(_log, BlocksChanged(blocks=", ".join(changed)))


def not_imported(catalogue: Catalogue) -> tuple[str, ...]:
    """Return which modules could not be imported, and why: a printable line each, because block code wrote it."""
    return tuple(one_line(str(each), _LONGEST_PROBLEM_CHARS) for each in catalogue.not_imported)


def left_out_text(catalogue: Catalogue) -> str:
    """Return in one line how many modules were not imported, and how to change that."""
    return (
        f"{len(catalogue.left_out)} module(s) were not imported, because nothing at their top level registers a "
        "block. To import one, name its file in --function-blocks; to import all, give --import-all-modules."
    )


def what_to_do(catalogue: Catalogue) -> str:
    """Return what helps if no block was found."""
    if catalogue.not_imported:
        first, *more = catalogue.not_imported
        others = f", and {len(more)} more could not" if more else ""
        return f"This could not be imported{others}: {str(first).rstrip('.')}."
    if catalogue.left_out:
        return left_out_text(catalogue)
    return "Name the directory of blocks in --function-blocks. If you did, `supervisor check` says what a block lacks."
