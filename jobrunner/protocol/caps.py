"""How much one side accepts from the other before it stops listening."""

from collections.abc import Mapping
from typing import Final, TypeVar

T = TypeVar("T")

HEADER_CAP_BYTES: Final = 128 * 1024
"""Limit for a frame's JSON header. A longer one is a protocol violation."""

ORDER_CAP_BYTES: Final = 64 * 1024 * 1024
"""Limit for parameters and context of one order. The engine is trusted more than a child, but not without a limit."""

CATALOGUE_CAP_BYTES: Final = 64 * 1024 * 1024
"""Limit for the template's catalogue: metadata and JSON schemas of every block."""

MESSAGE_CAP_CHARS: Final = 16_000
"""Limit for a result's message. It travels in the header; a longer one is cut with a mark."""

WARNING_CAP_CHARS: Final = 2000
"""Limit for texts about a block besides its outcome."""

LOG_CAP_CHARS: Final = 16_000
LOGGER_CAP_CHARS: Final = 500
"""Limit for one log record's text."""


FIELDS_CAP: Final = 50
"""How many fields one log record may carry."""

FIELD_CAP_CHARS: Final = 1000
"""Limit for one field of a log record, as text."""

FIELDS_CAP_CHARS: Final = 3000
"""Limit for all fields together: they travel in the header, beside the text."""

NAMES_CAP: Final = 200
"""How many additional names of secrets, or levels of loggers, an order may carry."""


SECRETS_CAP: Final = 200
"""How many additional secrets a child may report."""

SECRET_CAP_CHARS: Final = 1024
"""Limit for one of them. A longer one is reported in pieces."""


SESSIONS_CAP: Final = 20_000
"""How many sessions on devices one job may ask for. Sessions beyond that are not counted."""

DEVICE_CAP_CHARS: Final = 600
"""Limit for the name by which sessions on one device are counted."""

CHANGES_CAP: Final = 1000
"""How many changes of devices one job may report."""

LINES_CAP: Final = 1_000_000
"""How many lines of configuration one change may have."""

HOST_CAP_CHARS: Final = 255
"""Limit for a device's address or name."""

HOST_KEY_CAP_CHARS: Final = 4096
"""Limit for a host key in Base64: an RSA key with 16,384 bits has 2,800."""


def cut(text: str, cap_chars: int) -> str:
    """Shorten `text` to `cap_chars` characters and say so inside it."""
    if len(text) <= cap_chars:
        return text
    mark = f" … [{len(text) - cap_chars} more characters cut]"
    return text[: max(0, cap_chars - len(mark))] + mark


def fields_chars(fields: Mapping[str, object]) -> int:
    """Return how long the fields of a log record are together, with their names."""
    return sum(len(name) + len(str(value)) for name, value in fields.items())


def checked_fields(fields: dict[str, T]) -> dict[str, T]:
    """Return the fields of a log record. Raises `ValueError` if they are too long together."""
    if fields_chars(fields) > FIELDS_CAP_CHARS:
        raise ValueError(f"fields of more than {FIELDS_CAP_CHARS} characters together")
    return fields
