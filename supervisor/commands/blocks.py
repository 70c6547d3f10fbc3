"""`supervisor blocks`: which blocks there are, and which modules could not be imported."""

import logging
import sys
from typing import Any, Final

from pydantic import Field

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED, CommandSettings
from supervisor.commands.shared.common import EXIT_FAILED, read_settings, run_to_exit_code
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.shared.table import print_rows
from supervisor.log.format import printable
from supervisor.log.setup import start_logging
from supervisor.worker.offered_blocks import left_out_text, start_launcher, what_to_do

PROGRAM: Final = "supervisor blocks"


class BlocksSettings(CommandSettings):
    """List the function blocks, the modules that the worker leaves out, and those that it can't import.

    Exit code 1 when there is a module that can't be imported.
    """

    as_json: bool = Field(default=False, alias="json", description="Print one JSON object.")


def run(arguments: list[str]) -> int:
    """Print the catalogue. Returns 0, or 1 if a module could not be imported."""
    settings = read_settings(BlocksSettings, arguments, PROGRAM)
    listener = start_logging(max(settings.log_level_number, logging.WARNING))

    async def work() -> int:
        launcher, catalogue = await start_launcher(settings)
        await launcher.close()
        if settings.as_json:
            print_json(_as_json(catalogue))
        else:
            _print(catalogue)
        return EXIT_FAILED if catalogue.not_imported else 0

    try:
        return run_to_exit_code(PROGRAM, work)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        listener.stop()


def _as_json(catalogue: Catalogue) -> dict[str, Any]:
    return {
        "blocks": [block.model_dump(mode="json") for block in catalogue.blocks],
        "problems": [problem.model_dump(mode="json") for problem in catalogue.problems],
        "left_out": [module.model_dump(mode="json") for module in catalogue.left_out],
    }


def _print(catalogue: Catalogue) -> None:
    wide = OutputConsole().width if sys.stdout.isatty() else 10_000
    console = OutputConsole(width=wide)
    rows = [
        (block.id, block.run_on, block.fb_type, limits_text(block), block.code_digest, place_of(block))
        for block in catalogue.blocks
    ]
    if rows:
        print_rows(console, ("block", "runs on", "type", "limits", "code", "file"), rows)
    else:
        console.print(f"No function blocks were found. {what_to_do(catalogue)}", markup=False)
    for problem in catalogue.problems:
        what = "not imported" if problem in catalogue.not_imported else "warning"
        print(f"{PROGRAM}: {what}: {printable(_with_traceback(problem))}", file=sys.stderr)
    if catalogue.left_out and catalogue.blocks:
        print(f"{PROGRAM}: {left_out_text(catalogue)}", file=sys.stderr)
    for module in catalogue.left_out:
        print(f"    {module}", file=sys.stderr)


def limits_text(block: BlockEntry) -> str:
    """Return the limits that a block's registration sets, for a person."""
    seconds = f"{block.max_seconds:g} s" if block.max_seconds else ""
    memory = f"{block.max_memory_mb} MB" if block.max_memory_mb else ""
    cpu = f"CPU {block.max_cpu_seconds:g} s" if block.max_cpu_seconds else ""
    slots = f"{block.max_concurrent} at a time" if block.max_concurrent else ""
    return ", ".join(filter(None, (seconds, cpu, memory, slots))) or "-"


def place_of(block: BlockEntry) -> str:
    """Return file and line of a block, for a person or an editor."""
    return f"{block.file}:{block.line}" if block.file else block.module


def _with_traceback(problem: ImportProblem) -> str:
    trace = "".join(f"\n    {line}" for line in problem.traceback.rstrip().splitlines())
    return f"{problem}{trace}"
