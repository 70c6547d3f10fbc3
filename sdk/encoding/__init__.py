"""Converts values of a block to JSON.

Python's `json` writes `NaN`, which is not JSON. The engine's generated client refuses UUIDs, sets, addresses and bytes
only when it is too late to report it. Here every value is either written, or refused with its path.
"""

from __future__ import annotations

import json
from typing import Any

from sdk.encoding.walk import MAX_DEPTH, to_plain

__all__ = ["MAX_DEPTH", "to_json", "to_plain"]


def to_json(value: Any, root: str = "value") -> str:
    """`value` as JSON text; its path in an error begins with `root`.

    Besides JSON's own types, it accepts:

    * pydantic models: by field name, through the model's serializers (those that are declared only for JSON mode are
      not applied); dataclasses: by field name
    * tuples, sets and deques become arrays, sets in a stable order; any mapping becomes an object
    * date, time and datetime in ISO 8601, timedelta as an ISO 8601 duration
    * Decimal, UUID, paths, IP addresses, networks and interfaces, URLs, patterns: their text
    * an Enum becomes its value; pydantic secrets become `**********`
    * bytes: the text if they are UTF-8, otherwise base64. The reader can't tell which. So if they are not text, encode
      them yourself, always in the same way (`base64.b64encode(raw).decode()`)
    * keys may be strings, integers, booleans (`true`) and Enums of these
    * half a surrogate pair in a string, which UTF-8 can't hold, becomes U+FFFD

    Raises `EncodingError` with the path for NaN and Infinity, a circular reference, more than `MAX_DEPTH` levels of
    nesting, two keys that become one, and every other type.
    """
    return json.dumps(to_plain(value, root), ensure_ascii=False, separators=(",", ":"))
