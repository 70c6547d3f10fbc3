"""Where a setting comes from: a flag, a variable of the environment, or a line of `.env`."""

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dotenv.parser import parse_stream

from supervisor.settings import env_file
from supervisor.settings.legacy_environment import LEGACY_NAMES

_NAME: Final = re.compile(r"\s*(?:export\s+)?(\w+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is set. `line` is a line of `.env`; without it, it is the command line or the environment."""

    name: str
    line: int | None = None

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.name} in {env_file.FILE}, line {self.line}"
        return self.name if self.name.startswith("--") else f"{self.name} in the environment"


def unreadable_lines(prefix: str) -> list[Place]:
    """Return the lines of `.env` that seem to set one of our settings but can't be read.

    Other lines belong to other programs. `prefix` is the prefix of our own variables.
    """
    try:
        text = env_file.text()
    except (OSError, ValueError):
        return []
    found = [(_NAME.match(line.original.string), line) for line in parse_stream(io.StringIO(text))]
    return [
        Place(name[1], line.original.line)
        for name, line in found
        if name and (name[1].upper().startswith(prefix) or name[1].upper() in LEGACY_NAMES)
        if line.error or line.value is None
    ]


def place_of(setting: str, variable: str, arguments: Sequence[str]) -> Place | None:
    """Return where the current value of a setting comes from, `None` if nobody has set it.

    `variable` is its own name in the environment. In environment and file, it wins over the old name.
    """
    flag = "--" + setting.replace("_", "-")
    given = {word.partition("=")[0] for word in arguments}
    if flag in given or flag.replace("--", "--no-", 1) in given:
        return Place(flag)
    names = [variable, *(old for old, its in LEGACY_NAMES.items() if its == setting)]
    for find in (in_environment, in_file):
        if place := next((found for name in names if (found := find(name)) is not None), None):
            return place
    return None


def in_environment(name: str) -> Place | None:
    """Return the place of a variable that is set in the environment."""
    found = next((own for own, value in os.environ.items() if own.upper() == name.upper() and value), None)
    return None if found is None else Place(found)


def in_file(name: str) -> Place | None:
    """Return the line of `.env` that sets a variable: if there are several, the last one counts."""
    try:
        lines = env_file.text().splitlines()
    except (OSError, ValueError):
        return None
    if not lines:
        return None
    wanted = re.compile(rf"\s*(?:export\s+)?({re.escape(name)})\s*=\s*\S", re.IGNORECASE)
    found = [(match[1], number) for number, line in enumerate(lines, 1) if (match := wanted.match(line))]
    return Place(*found[-1]) if found else None
