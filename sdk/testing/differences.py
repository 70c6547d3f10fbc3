"""The difference between two JSON values, for a person."""

from __future__ import annotations

import difflib
import json
from typing import Any


def difference(expected: Any, found: Any) -> str:
    """Return both values line by line: `-` is only in what was expected, `+` only in what was found."""
    lines = difflib.ndiff(_lines(expected), _lines(found))
    return "\n".join(("- expected, + found", *(line.rstrip() for line in lines if not line.startswith("?"))))


def _lines(plain: Any) -> list[str]:
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, indent=2, default=repr).splitlines()
