"""The JSON of a result in a form for people: a text of several lines is shown as these lines."""

import json
from collections.abc import Iterator
from typing import Any, Final

_INDENT: Final = "  "


def result_text(value: Any) -> str:
    """Return `value` as indented JSON, but texts of several lines are shown as a bar, with their lines below it.

    For people only: no program should read it as JSON. A value that is nested too deeply for an indent is on one line.
    Raises `TypeError` if it can't be JSON.
    """
    try:
        return "\n".join(_lines(value, "", ""))
    except RecursionError:
        return json.dumps(value, ensure_ascii=False)


def _lines(value: Any, indent: str, end: str) -> Iterator[str]:
    """Yield the lines of a value. The first one comes after the text so far; `end` after the last one."""
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
