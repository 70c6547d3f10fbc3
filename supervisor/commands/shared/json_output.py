"""JSON that commands print for programs. A person may see it on a terminal too."""

import json
from typing import Any

from supervisor.log.format import printable_json


def json_text(data: Any, *, indent: int | None = 2, ascii_only: bool = True) -> str:
    """Return `data` as JSON in which characters that a terminal would obey or hide are escaped.

    Without `ascii_only`, letters of all languages are written unchanged. A value that is nested too deeply for an
    indent is on one line. Raises `TypeError` if it can't be JSON.
    """
    try:
        text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    except RecursionError:  # with an indent, Python code recurses at each level
        text = json.dumps(data, ensure_ascii=ascii_only)
    return printable_json(text)


def print_json(data: Any, *, indent: int | None = 2, ascii_only: bool = True) -> None:
    """Print `data` at once: a reader of a pipe may wait for it. See `json_text`."""
    print(json_text(data, indent=indent, ascii_only=ascii_only), flush=True)
