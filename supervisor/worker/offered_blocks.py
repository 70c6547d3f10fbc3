"""Bringing up the launcher that the settings ask for, and its catalogue."""

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

    Children need descriptors of this process: it takes as many as it may have.

    Where importing them starts a thread, the template can't be forked: children are spawned instead, and it is said.
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
    # Not closed: the next launcher gets the job users, and each would be lost with its first clean-up that fails.
    await launcher.end_templates()
    tell(_log, InterpreterForEachJob(reason=str(catalogue.of_kind("thread")[0])))
    launcher = SpawnLauncher(imports, confinement_pool)
    return launcher, await launcher.start()


def imports_of(settings: RunSettings) -> Imports:
    """Return what these settings have a launcher import."""
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
    """Log how many modules were not imported, and at debug level which and why."""
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
    """Return the catalogue with the slots of blocks that `--block-slots` sets. Logs which of them set nothing."""
    slots = parse_block_slots(settings.block_slots)
    for block in unknown_in(slots, catalogue):
        tell(_log, BlockSlotsUnused(block=block))
    return with_block_slots(catalogue, slots)


def tell_problem(problem: ImportProblem) -> None:
    """Log why a module's blocks are missing, or what else it does to this worker."""
    failed = ModuleFailed(
        file=problem.file,
        line_number=problem.line,
        # Of a file below a directory of blocks, it is a name that only this worker knows.
        module=None if problem.file else problem.module,
        kind=problem.kind,
        problem=str(problem),
        import_traceback=problem.traceback,
    )
    tell(_log, failed)


def tell_come_back(in_force: Catalogue, imported: Catalogue) -> None:
    """Log in what a template that took a dead one's place differs from what is in force, and offered."""
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
    """Return which modules could not be imported, and why: one printable line each, as block code wrote the reason."""
    return tuple(one_line(str(each), _LONGEST_PROBLEM_CHARS) for each in catalogue.not_imported)


def left_out_text(catalogue: Catalogue) -> str:
    """Return in one line how many modules were not imported, and how to have that changed."""
    return (
        f"{len(catalogue.left_out)} module(s) were not imported, as nothing at their top level registers a block. "
        "To import one, name its file in --function-blocks; to import all, give --import-all-modules."
    )


def what_to_do(catalogue: Catalogue) -> str:
    """Return what helps where not one block was found."""
    if catalogue.not_imported:
        first, *more = catalogue.not_imported
        others = f", and {len(more)} more could not" if more else ""
        return f"This could not be imported{others}: {first}."
    return left_out_text(catalogue) if catalogue.left_out else "Give their directory with --function-blocks."
