"""The secrets of one job, masked wherever its text goes."""

import re
from collections.abc import Iterator
from typing import Final

MASK: Final = "***"
_SECRET_KEYS: Final = re.compile(r"passw|secret|token|passphrase|api_?key|community", re.IGNORECASE)
_SHORTEST_CHARS: Final = 6
_LONGEST_PLAIN_NUMBER: Final = 8


class Mask:
    """Replaces the values of a job's secrets in text.

    Values shorter than six characters, and short plain numbers, are left alone: masking a common word would blank
    the log.
    """

    def __init__(self, *documents: object) -> None:
        secrets = {secret for document in documents for secret in _secrets(document)}
        # The longest first: one secret may be the beginning of another.
        ordered = sorted(secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """Return ``text`` with every secret masked."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _secrets(document: object, *, secret: bool = False) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _secrets(value, secret=bool(secret or _SECRET_KEYS.search(str(key))))
    elif isinstance(document, list):
        for value in document:
            yield from _secrets(value, secret=secret)
    elif isinstance(document, str) and secret and _is_maskable(document):
        yield document


def _is_maskable(value: str) -> bool:
    if len(value) < _SHORTEST_CHARS:
        return False
    return not (value.isdecimal() and len(value) < _LONGEST_PLAIN_NUMBER)
