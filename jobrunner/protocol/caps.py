"""How much one side accepts from the other before it stops listening."""

from typing import Final

HEADER_CAP_BYTES: Final = 128 * 1024
"""A frame's JSON header. Longer is a protocol violation."""

ORDER_CAP_BYTES: Final = 64 * 1024 * 1024
"""Parameters and context of one order. The engine is trusted more than a child, but not without end."""

CATALOGUE_CAP_BYTES: Final = 64 * 1024 * 1024
"""The template's catalogue: metadata and JSON schemas of every block."""

MESSAGE_CAP_CHARS: Final = 16_000
"""A result's message. It travels in the header; what is longer is cut with a mark."""

WARNING_CAP_CHARS: Final = 2000
"""Of what is said of a block beside its outcome."""

LOG_CAP_CHARS: Final = 16_000
LOGGER_CAP_CHARS: Final = 500
"""One log record's text."""


FIELDS_CAP: Final = 50
"""How many fields one log record may carry."""

FIELD_CAP_CHARS: Final = 1000
"""One field of a log record, as text."""

FIELDS_CAP_CHARS: Final = 3000
"""All of them: they travel in the header, beside the text."""

NAMES_CAP: Final = 200
"""How many further names of secrets, or levels of loggers, an order may carry."""


SECRETS_CAP: Final = 200
"""How many further secrets a child may tell of."""

SECRET_CAP_CHARS: Final = 1024
"""One of them. A longer one is told in pieces."""


SESSIONS_CAP: Final = 20_000
"""How many sessions on devices one job may ask for. What it opens beyond that is not counted."""

DEVICE_CAP_CHARS: Final = 600
"""The name by which sessions on one device are counted."""

CHANGES_CAP: Final = 1000
"""How many changes of devices one job may tell of."""

LINES_CAP: Final = 1_000_000
"""How many lines of configuration one of them may have."""

HOST_CAP_CHARS: Final = 255
"""A device's address or name."""

HOST_KEY_CAP_CHARS: Final = 4096
"""A host key in Base64: one of RSA with 16,384 bits has 2,800."""


def cut(text: str, cap_chars: int) -> str:
    """Shorten `text` to `cap_chars` characters and say so inside it."""
    if len(text) <= cap_chars:
        return text
    mark = f" … [{len(text) - cap_chars} more characters cut]"
    return text[: max(0, cap_chars - len(mark))] + mark
