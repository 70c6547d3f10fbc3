"""Removes secrets from everything in the archive: those that this worker knows, and texts that look like one.

The worker already masks what it logs and answers. This is the second check, also for what others have written.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from jobrunner.protocol.masking import (
    MASK,
    MOST_UNITS,
    Effort,
    Mask,
    SecretNames,
    TooMuchWorkError,
    not_shown,
)
from supervisor.log.format import printable

_PORTION_CHARS: Final = 64 * 1024
_IN_URL: Final = re.compile(r"(\w://[^\s/@:\"']{0,256}:)[^\s/@\"']{1,1024}@")
_KEY_BLOCK: Final = re.compile(
    r"-----BEGIN ([A-Z ]{0,40})PRIVATE KEY-----.{0,20000}?-----END \1PRIVATE KEY-----", re.DOTALL
)
_BEARER: Final = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_LEAST_CHARS: Final = 6


class Redaction:
    """Masks texts and JSON. `secrets` are values, `redact_keys` the operator's further names of secrets."""

    def __init__(self, secrets: Iterable[str], names: SecretNames | None = None) -> None:
        known = [secret for secret in secrets if len(secret) >= _LEAST_CHARS]
        self._mask = Mask(known) if names is None else Mask(known, names)
        # The mask leaves short numbers alone, to keep a job's log readable. Here they are masked too.
        self._short = (
            re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True)))) if known else None
        )

    def text(self, text: str) -> str:
        """Return a text without secrets, and without characters that would move a terminal's cursor."""
        text = _KEY_BLOCK.sub(f"-----{MASK}-----", text)
        text = _BEARER.sub(rf"\1 {MASK}", _IN_URL.sub(rf"\1{MASK}@", text))
        return printable("".join(map(self._portion, _portions(text))))

    def _portion(self, text: str) -> str:
        try:
            masked: str = self._mask(text, effort=Effort(MOST_UNITS))
        except TooMuchWorkError:
            return not_shown(text)
        return masked if self._short is None else self._short.sub(MASK, masked)

    def data(self, value: Any, name: str = "") -> Any:
        """Return JSON without secrets: masks values by their names, and all texts."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(each, str(key)) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(each, name) for each in value]
        if name:
            value = self._mask.field(name, value, effort=Effort(MOST_UNITS))
        return self.text(value) if isinstance(value, str) else value


def _portions(text: str) -> Iterable[str]:
    """Yield the text in pieces that end with a line, unless a line is longer than a piece."""
    start = 0
    while start < len(text):
        end = start + _PORTION_CHARS
        if end < len(text):
            end = text.rfind("\n", start, end) + 1 or end
        yield text[start:end]
        start = end
