"""JSON that commands print for programs, and that a person may see on a terminal all the same."""

import json
from typing import Any

from supervisor.log.format import printable_json


def json_text(data: Any, *, indent: int | None = 2, ascii_only: bool = True) -> str:
    """Return `data` as JSON without a character that a terminal would obey or not show: these are JSON's escapes.

    Without `ascii_only`, letters of all languages are written as they are. What is nested too deeply to be indented is
    on one line. Raises `TypeError` for what is no JSON.
    """
    try:
        text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    except RecursionError:  # with an indent, Python's own code is called for each level
        text = json.dumps(data, ensure_ascii=ascii_only)
    return printable_json(text)


def print_json(data: Any, *, indent: int | None = 2, ascii_only: bool = True) -> None:
    """Print `data` at once: whoever reads a pipe waits for it. See `json_text`."""
    print(json_text(data, indent=indent, ascii_only=ascii_only), flush=True)
