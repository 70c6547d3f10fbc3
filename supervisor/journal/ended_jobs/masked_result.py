"""Masks the data of a result before they are kept."""

import json
from typing import Any

from jobrunner.protocol.masking import Effort, TextMask
from supervisor.errors import SupervisorError
from supervisor.journal.ended_jobs.budget import RESULT_BYTES


class NotMaskedError(SupervisorError):
    """A result that can't be masked. The text says why."""


def masked_result(text: bytes, mask: TextMask, effort: Effort) -> bytes:
    """Return the JSON that a block has returned, with all texts, names and numbers masked as in the log.

    Raises `NotMaskedError` if it is too large or not JSON, and `TooMuchWorkError` when the effort is used up.
    """
    if len(text) > RESULT_BYTES:
        raise NotMaskedError(f"they have {len(text)} bytes, and {RESULT_BYTES} are kept at most")
    try:
        masked = _Masking(mask, effort).value("", json.loads(text))
        return json.dumps(masked, ensure_ascii=False).encode(errors="backslashreplace")
    except (ValueError, RecursionError):
        raise NotMaskedError("they are nested too deeply, or are no JSON") from None


class _Masking:
    def __init__(self, mask: TextMask, effort: Effort) -> None:
        self._mask = mask
        self._effort = effort

    def value(self, name: str, value: Any) -> Any:
        self._effort.spend(1)
        masked = self._mask.field(name, value, effort=self._effort)
        if masked is not value:  # a text, a number that is a secret, or a value with a secret's name
            return masked
        if isinstance(value, dict):
            return {self._text(key): self.value(key, each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value("", each) for each in value]
        return value

    def _text(self, text: str) -> str:
        return self._mask(text, effort=self._effort)
