"""`supervisor check`: what in an author's blocks will not work, with file and line."""

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import Field
from pydantic_settings import CliPositionalArg
from rich.text import Text

from jobrunner.protocol.catalogue import Catalogue
from supervisor.commands.check.all_checks import findings_of, no_blocks, source_files
from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.local.sources import places_of
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED, CommandSettings
from supervisor.commands.shared.common import EXIT_FAILED, read_settings, run_to_exit_code
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.template import TemplateLauncher
from supervisor.log.format import printable
from supervisor.log.setup import start_logging
from supervisor.settings.run_settings import RunSettings
from supervisor.worker.offered_blocks import imports_of, left_out_text

PROGRAM: Final = "supervisor check"


class CheckSettings(CommandSettings):
    """Check function blocks: imports, ids, schemas, methods, defaults, secrets, names of files.

    The command imports modules that register something, as the worker does, so their top level runs. It imports no
    other module, and runs no block.

    Exit code 0 when there are no errors, 1 when there are, 2 for wrong usage.
    """

    HIDDEN_FLAGS: ClassVar = frozenset(RunSettings.model_fields) - {
        "function_blocks",
        "import_all_modules",
        "import_seconds",
    }
    """No job runs. Limits of jobs are accepted but ignored, so a worker's command line can be used."""

    places: CliPositionalArg[list[str]] = Field(
        default=[],
        description="Directories or .py files with your blocks. Default: as --function-blocks, otherwise here.",
    )
    strict: bool = Field(default=False, description="Exit code 1 for warnings too.")
    as_json: bool = Field(default=False, alias="json", description="Print one JSON object.")


_EPILOG: Final = "Example: supervisor check my_blocks"


def run(arguments: list[str]) -> int:
    """Check and print. Returns 0, or 1 if there are errors."""
    settings = read_settings(CheckSettings, arguments, PROGRAM, _EPILOG)
    places, further = places_of(settings.places, settings, arguments)
    settings.function_blocks = [*map(str, places), *further]
    # With real paths, as the import has them: otherwise one file with two names would get each finding twice. The
    # import reports a path that does not exist or can't be reached.
    named = map(os.path.expanduser, settings.function_blocks)
    read = [Path(os.path.realpath(each)) for each in named if os.path.exists(each)]
    listener = start_logging(logging.CRITICAL)

    async def work() -> int:
        catalogue = await _import(settings)
        found = findings_of(catalogue, source_files(read, catalogue), read) or no_blocks(
            catalogue, settings.function_blocks
        )
        found = [_as_seen_from_here(finding) for finding in found]
        if settings.as_json:
            print_json(_as_json(catalogue, found))
        else:
            _print(catalogue, found)
        bad = [finding for finding in found if settings.strict or finding.level is Level.ERROR]
        return EXIT_FAILED if bad else 0

    try:
        return run_to_exit_code(PROGRAM, work)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        listener.stop()


async def _import(settings: CheckSettings) -> Catalogue:
    # Always the template, whatever the start method: only it reports threads that an import starts.
    launcher = TemplateLauncher(imports_of(settings), ConfinementPool(None))
    try:
        return await launcher.start()
    finally:
        await launcher.close()


def _as_json(catalogue: Catalogue, found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "blocks": [block.id for block in catalogue.blocks],
        "findings": [asdict(finding) for finding in found],
        "left_out": [
            {"file": _from_here(module.file or module.module), "reason": module.reason}
            for module in catalogue.left_out
        ],
    }


def _as_seen_from_here(finding: Finding) -> Finding:
    return replace(finding, file=_from_here(finding.file))


def _from_here(file: str) -> str:
    path = Path(file)
    return os.path.relpath(path) if path.is_absolute() and path.is_relative_to(Path.cwd()) else file


def _print(catalogue: Catalogue, found: Sequence[Finding]) -> None:
    console = OutputConsole(soft_wrap=True)
    for finding in found:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        colour = "bold red" if finding.level is Level.ERROR else "yellow"
        console.print(
            Text.assemble(
                (f"{place}: ", "bold"),
                (f"{finding.level}", colour),
                printable(f" [{finding.code}] {finding.message} {finding.advice}".rstrip()),
            )
        )
    for module in catalogue.left_out:
        console.print(
            Text.assemble(
                (f"{_from_here(module.file or module.module)}: ", "bold"), f"not imported: {module.reason}"
            )
        )
    if catalogue.left_out:
        console.print(Text(left_out_text(catalogue)))
    errors = sum(finding.level is Level.ERROR for finding in found)
    counts = f"{len(catalogue.blocks)} block(s), {errors} error(s), {len(found) - errors} warning(s)"
    console.print(Text(counts, style="red" if errors else "yellow" if found else "green"))
    sys.stdout.flush()
