"""Values of a block as JSON.

Python's `json` writes `NaN`, which is no JSON, and the engine's generated client refuses UUIDs, sets,
addresses and bytes only when it is too late to say so. Here every value is either written or refused with
its path.
"""

from __future__ import annotations

import json
from typing import Any

from sdk.encoding.walk import MAX_DEPTH, to_plain

__all__ = ["MAX_DEPTH", "to_json", "to_plain"]


def to_json(value: Any, root: str = "value") -> str:
    """`value` as JSON text; `root` is what its path begins with in an error.

    Beside JSON's own types:

    * pydantic models: by field name, through the model's serializers (those declared for JSON mode only are
      not applied); dataclasses: by field name
    * tuples, sets and deques are arrays, sets in a stable order; any mapping is an object
    * date, time and datetime in ISO 8601, timedelta as an ISO 8601 duration
    * Decimal, UUID, paths, IP addresses, networks and interfaces, URLs, patterns: their text
    * an Enum is its value; pydantic secrets are `**********`
    * bytes: the text, if they are UTF-8, else base64. Who reads it can't tell which: where they are no text, encode
      them yourself (`base64.b64encode(raw).decode()`), always in one way
    * keys may be strings, integers, booleans (`true`) and Enums of these
    * half a surrogate pair in a string, which UTF-8 can't hold, is U+FFFD

    Raises `EncodingError` with the path for NaN and Infinity, a circular reference, a nesting of more than
    `MAX_DEPTH` levels, two keys that become one, and every other type.
    """
    return json.dumps(to_plain(value, root), ensure_ascii=False, separators=(",", ":"))
