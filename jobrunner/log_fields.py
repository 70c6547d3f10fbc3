"""What an author gives together with a message (`extra`, `with_context`), as plain values for a frame."""

import logging
import math
from collections.abc import Mapping
from typing import Final

from jobrunner.protocol.caps import FIELD_CAP_CHARS, FIELDS_CAP, FIELDS_CAP_CHARS
from jobrunner.protocol.encodable import encodable

FieldValue = str | bool | int | float | None

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CONTEXT: Final = "context"
"""The attribute in which `sdk.logger.BlockLogger` puts its context."""

_NAME_CAP_CHARS: Final = 100
_LARGEST_NUMBER: Final = 2**53
"""Values that every reader of JSON accepts unchanged."""


def fields_of(record: logging.LogRecord, known: Mapping[str, object]) -> dict[str, FieldValue]:
    """Return the fields of `record` without those that are `known` for the whole job.

    Fields over the caps are left out. Raises what the author's `__str__` raises.
    """
    given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    context = given.pop(_CONTEXT, None)
    if isinstance(context, Mapping):
        given = {**context, **given}
    elif context is not None:
        given[_CONTEXT] = context
    fields: dict[str, FieldValue] = {}
    room = FIELDS_CAP_CHARS
    for key, value in given.items():
        name = encodable(str(key))[:_NAME_CAP_CHARS]
        if (name in known and known[name] == value) or len(fields) >= FIELDS_CAP:
            continue
        plain = _plain(value)
        room -= len(name) + len(str(plain))
        if room < 0:
            break
        fields[name] = plain
    return fields


def _plain(value: object) -> FieldValue:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST_NUMBER:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    # The length shows the supervisor that it was cut. It adds the mark after it has masked the rest.
    return encodable(str(value))[:FIELD_CAP_CHARS]
