"""The JSON of a result, as a person reads it: a text of several lines has these lines."""

import json
from collections.abc import Iterator
from typing import Any, Final

_INDENT: Final = "  "


def result_text(value: Any) -> str:
    """Return `value` as indented JSON, but for texts of several lines: a bar, and their lines below it.

    For people only: nothing is to read it as JSON. What is nested too deeply to be indented is on one line. Raises
    `TypeError` for what is no JSON.
    """
    try:
        return "\n".join(_lines(value, "", ""))
    except RecursionError:
        return json.dumps(value, ensure_ascii=False)


def _lines(value: Any, indent: str, end: str) -> Iterator[str]:
    """Yield the lines of a value. The first one stands behind what is there already; `end` follows the last one."""
    inner = indent + _INDENT
    if isinstance(value, str) and "\n" in value:
        yield "|"
        yield from (f"{inner}{line}" for line in value.removesuffix("\n").split("\n"))
    elif isinstance(value, dict) and value:
        yield "{"
        for number, (name, item) in enumerate(value.items(), start=1):
            yield from _named(
                f"{inner}{_plain(name)}: ", _lines(item, inner, "," if number < len(value) else "")
            )
        yield f"{indent}}}{end}"
    elif isinstance(value, list) and value:
        yield "["
        for number, item in enumerate(value, start=1):
            yield from _named(inner, _lines(item, inner, "," if number < len(value) else ""))
        yield f"{indent}]{end}"
    else:
        yield f"{_plain(value)}{end}"


def _named(head: str, lines: Iterator[str]) -> Iterator[str]:
    yield head + next(lines)
    yield from lines


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
