"""`supervisor blocks`: what there is to run, and what could not be imported."""

import json
import logging
import sys
from typing import Any, Final

from pydantic import Field
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.blocks import start_launcher
from supervisor.commands.command_settings import CommandSettings
from supervisor.commands.common import EXIT_FAILED, read_settings, run_to_exit_code
from supervisor.logs import start_logging

PROGRAM: Final = "supervisor blocks"


class BlocksSettings(CommandSettings):
    """List the function blocks, and the modules that could not be imported. Exit code 1 when there are any."""

    as_json: bool = Field(default=False, alias="json", description="Print one JSON object.")


def run(arguments: list[str]) -> int:
    """Print the catalogue. Returns 0, or 1 when something could not be imported."""
    settings = read_settings(BlocksSettings, arguments, PROGRAM)
    listener = start_logging(max(settings.log_level_number, logging.WARNING))

    async def work() -> int:
        launcher, catalogue = await start_launcher(settings)
        await launcher.close()
        if settings.as_json:
            print(json.dumps(_as_json(catalogue), indent=2))
        else:
            _print(catalogue)
        return EXIT_FAILED if catalogue.problems else 0

    try:
        return run_to_exit_code(PROGRAM, work)
    finally:
        listener.stop()


def _as_json(catalogue: Catalogue) -> dict[str, Any]:
    return {
        "blocks": [block.model_dump(mode="json") for block in catalogue.blocks],
        "problems": [problem.model_dump(mode="json") for problem in catalogue.problems],
    }
