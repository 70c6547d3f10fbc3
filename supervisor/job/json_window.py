"""Reads members of JSON lists and objects with Python's own parser: those that are complete in the next kilobytes.

Within such a window the parser in C takes a fraction of a millisecond, whatever the text is. That is a third of the
time that an expression needs to find the members' ends. The caller must handle members that are longer than a window or
nested too deeply, and invalid JSON. Pure.
"""

import codecs
import json
import re
from typing import Any, Final

WINDOW_BYTES: Final = 32 * 1024

_read: Final = json.JSONDecoder().raw_decode
_BLANKS: Final = re.compile(r"[ \t\n\r]*+")
_BETWEEN_OBJECTS: Final = ("},{", "}, {")
"""The form in which JavaScript, and Python, write a list of objects. Other forms are read element by element."""
_CONTAINERS: Final = frozenset({dict, list})


def elements_at(text: bytes, at: int, levels: int) -> tuple[list[Any], int]:
    """Return the elements of a list at this position, and the position after them: of the next element or the bracket.

    `levels`: how deep an element may be nested.
    """
    window = _window(text, at)
    values, end = _objects_at_once(window, levels)
    begin = end
    while (found := _value(window, begin, levels)) is not None:
        value, begin = found
        follows = _follows(window, begin, "]")
        if follows is None:
            break
        values.append(value)
        end = follows
        if window[end] == "]":
            break
        begin = end
    return values, at + _size(window, end)


def members_at(text: bytes, at: int, levels: int) -> tuple[dict[str, Any], int]:
    """Return the members of an object at this position, and the position after them, same as `elements_at`.

    If two members have one key, the last one counts.
    """
    window, begin, end = _window(text, at), 0, 0
    members: dict[str, Any] = {}
    while (named := _key(window, begin)) is not None and (
        found := _value(window, named[1], levels)
    ) is not None:
        follows = _follows(window, found[1], "}")
        if follows is None:
            break
        members[named[0]] = found[0]
        end = follows
        if window[end] == "}":
            break
        begin = end
    return members, at + _size(window, end)


def _objects_at_once(window: str, levels: int) -> tuple[list[Any], int]:
    """Read all elements up to the last object that follows an object, in one go. Return the position of that object.

    That may be inside of an element: then the text before it is not a list, and nothing is returned.
    """
    for between in _BETWEEN_OBJECTS:
        if (cut := window.rfind(between)) > 0:
            break
    else:
        return [], 0
    try:
        values = json.loads(f"[{window[: cut + 1]}]")
    except (ValueError, RecursionError):
        return [], 0
    return ([], 0) if is_deeper_than(levels + 1, values) else (values, cut + len(between) - 1)


def _window(text: bytes, at: int) -> str:
    try:
        return codecs.utf_8_decode(text[at : at + WINDOW_BYTES], "strict", False)[0]
    except UnicodeDecodeError:
        return ""


def _size(window: str, end: int) -> int:
    return end if window.isascii() else len(window[:end].encode())


def _value(window: str, begin: int, levels: int) -> tuple[Any, int] | None:
    try:
        value, end = _read(window, begin)
    except (ValueError, RecursionError):
        return None
    # The number of brackets is at least the number of levels.
    brackets = window.count("[", begin, end) + window.count("{", begin, end)
    return None if brackets > levels and is_deeper_than(levels, value) else (value, end)


def _key(window: str, begin: int) -> tuple[str, int] | None:
    if window[begin : begin + 1] != '"':
        return None
    try:
        key, end = _read(window, begin)
    except ValueError:
        return None
    colon = _after_blanks(window, end)
    return (key, _after_blanks(window, colon + 1)) if window[colon : colon + 1] == ":" else None


def _follows(window: str, end: int, closing: str) -> int | None:
    """Return where the next member begins or the list ends, `None` if neither is in the window."""
    at = _after_blanks(window, end)
    if window[at : at + 1] == closing:
        return at
    if window[at : at + 1] != ",":
        return None
    at = _after_blanks(window, at + 1)
    return at if at < len(window) and window[at] not in "]}" else None


def _after_blanks(window: str, at: int) -> int:
    if window[at : at + 1] > " ":
        return at
    match = _BLANKS.match(window, at)
    assert match is not None  # it also matches an empty text
    return match.end()


def is_deeper_than(levels: int, value: object) -> bool:
    """Whether lists and objects are nested deeper than `levels`. Looks level by level, without recursion."""
    if levels < 1:
        return True
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    for _ in range(levels - 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _CONTAINERS
        ]
        if not level:
            return False
    return any(level)
