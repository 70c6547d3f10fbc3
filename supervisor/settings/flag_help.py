"""How `--help` shows a flag: in plain words, where pydantic-settings shows Python's types and defaults."""

import argparse
import re
import textwrap
from collections.abc import Mapping
from typing import Any, Final

_METAVARS: Final = {
    "str": "TEXT",
    "int": "NUMBER",
    "float": "NUMBER",
    "Path": "PATH",
    "list[str]": "TEXT,...",
}
_NO_DEFAULT: Final = re.compile(r"\s*\(default(?:: (?:None|False|\[\])?| factory: \w+)\)$")
_ANY_DEFAULT: Final = re.compile(r"\s*\(default(?: factory)?: .*\)$")
_NAMED: Final = re.compile(r" +\S.*?\S {2,}(?=\S)")
_LIST_DEFAULT: Final = re.compile(r"\(default: \[(.+)\]\)$")


_EXAMPLE: Final = "Example: "
_OWN_LINES: Final = (_EXAMPLE, "Exit code")
"""A line that begins with one of these stays a line of its own, also without a blank line before it."""


class LineFormatter(argparse.HelpFormatter):
    """Folds the paragraphs of description and epilog to the width of the terminal. Indented lines stay lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{_folded(line, width)}" for line in _paragraphs(text))


def _paragraphs(text: str) -> list[str]:
    """Return the lines of a text; the lines of one paragraph are joined."""
    found: list[str] = []
    for line in text.splitlines():
        before = found[-1] if found else ""
        goes_on = line and not line[0].isspace() and not line.startswith(_OWN_LINES)
        if goes_on and before and not before[0].isspace() and not before.startswith(_EXAMPLE):
            found[-1] = f"{before} {line}"
        else:
            found.append(line)
    return found


def _folded(line: str, width: int) -> str:
    if line.startswith(_EXAMPLE):  # people copy it; a terminal folds it without a line break
        return line
    # An explanation beside a name continues below its beginning, if there is room for that.
    named = _NAMED.match(line)
    column = len(named[0]) if named and len(named[0]) < width // 2 else 4 * line.startswith(" ")
    return textwrap.fill(line, width, subsequent_indent=" " * column, break_long_words=False)


def add_argument(
    hidden: frozenset[str], groups: Mapping[str, Any], parser: Any, *names: str, **options: Any
) -> Any:
    """Add a flag, to the group of its setting if it has one.

    The help leaves it out if its setting is one of `hidden`, but the flag still works.
    """
    settings = [name.lstrip("-").replace("-", "_") for name in names]
    if hidden.intersection(settings):
        options["help"] = argparse.SUPPRESS
    metavar, text = options.get("metavar"), options.get("help")
    if isinstance(metavar, str):
        options["metavar"] = _METAVARS.get(metavar, metavar)
    if isinstance(text, str):
        # If the text names the default itself, Python's value is not needed.
        text = (_ANY_DEFAULT if "Default: " in text else _NO_DEFAULT).sub("", text)
        options["help"] = _LIST_DEFAULT.sub(lambda match: f"(default: {match[1].replace(chr(39), '')})", text)
    group = next((groups[name] for name in settings if name in groups), parser)
    return group.add_argument(*names, **options)
