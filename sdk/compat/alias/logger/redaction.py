"""Which fields are secret, and copies of values without secrets, for a log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sdk.compat.migration_hints import refusing
from sdk.sensitive import SENSITIVE, Sensitive, marked_fields

REDACT_EXTRA_KEYS_ENV = "LOG_REDACT_EXTRA_KEYS"
"""The environment variable with more parts of secret names. In a job it has the worker's (`--redact-keys`)."""

DEFAULT_KEY_PARTS = ("password", "secret", "token", "passphrase", "api_key")


@dataclass(frozen=True)
class Redactor:
    """Copies values and replaces those of secret keys, and of fields marked `SENSITIVE`. A null stays null."""

    key_parts: tuple[str, ...] = DEFAULT_KEY_PARTS
    placeholder: str = "***"

    def is_sensitive_key(self, key: str) -> bool:
        """Whether a key of this name counts as secret."""
        return any(part in key.lower() for part in self.key_parts)

    def dump(self, value: Any) -> Any:
        """A copy of `value` as plain data, for a log."""
        if isinstance(value, BaseModel):
            marked = marked_fields(type(value))
            return {name: self._item(name, item, name in marked) for name, item in vars(value).items()}
        if isinstance(value, Mapping):
            return {key: self._item(str(key), item, False) for key, item in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.dump(item) for item in value]
        return value

    def _item(self, key: str, value: Any, marked: bool) -> Any:
        if value is not None and (marked or self.is_sensitive_key(key)):
            return self.placeholder
        return self.dump(value)


def default_redactor() -> Redactor:
    """The redactor with the usual parts of keys and those of `LOG_REDACT_EXTRA_KEYS`, separated by commas.

    The worker masks what a job logs in any case.
    """
    further = (part.strip().lower() for part in os.environ.get(REDACT_EXTRA_KEYS_ENV, "").split(","))
    return Redactor((*DEFAULT_KEY_PARTS, *filter(None, further)))


__all__ = [
    "DEFAULT_KEY_PARTS",
    "REDACT_EXTRA_KEYS_ENV",
    "SENSITIVE",
    "Redactor",
    "Sensitive",
    "default_redactor",
]

__getattr__ = refusing(__name__)
