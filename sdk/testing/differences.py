"""Whether two JSON values are the same, and their difference, for a person."""

from __future__ import annotations

import difflib
import json
from typing import Any


def is_same(expected: Any, found: Any) -> bool:
    """Whether both are the same JSON. JSON has one kind of number, and its true is not 1 as in Python."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            is_same(value, found[key]) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(is_same, expected, found))
    return bool(expected == found)


def difference(expected: Any, found: Any) -> str:
    """Return both values line by line: `-` is only in the expected value, `+` only in the found one."""
    lines = difflib.ndiff(_lines(expected), _lines(found))
    return "\n".join(("- expected, + found", *(line.rstrip() for line in lines if not line.startswith("?"))))


def _lines(plain: Any) -> list[str]:
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, indent=2, default=repr).splitlines()
