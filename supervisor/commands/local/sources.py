"""Which blocks a command for authors uses."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from supervisor.commands.local.flags import on_the_command_line
from supervisor.settings.run_settings import RunSettings

HERE: Final = "."


def places_of(
    given: Iterable[str], settings: RunSettings, arguments: list[str]
) -> tuple[list[Path], list[str]]:
    """Return the meant directories and files, and the sources that --function-blocks adds to them.

    Without any, the environment or `.env` decides, as for the daemon; otherwise the directory where the command runs.
    Given ones replace those of the environment: the same blocks in two places would be a conflict.
    """
    named = [Path(os.path.expanduser(place)).absolute() for place in given]
    if not named and "function_blocks" not in settings.model_fields_set:
        named = [Path(HERE).absolute()]
    by_flag = "function_blocks" in on_the_command_line(type(settings), arguments)
    further = settings.function_blocks if by_flag or not named else []
    return named, further
