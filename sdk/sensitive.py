"""Which values are secret, and how to keep them out of a text."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

MASK = "***"

SECRET_NAME_PARTS = ("password", "passphrase", "secret", "token", "api_key", "apikey", "private_key")

# Shorter strings occur in ordinary words: masking them would destroy a text and still not hide them.
MIN_SECRET_LENGTH = 3

# A ``type`` statement can name itself.
MAX_ANNOTATION_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Marks a field whose value must never be shown: ``key: Annotated[str, SENSITIVE]``."""


SENSITIVE = Sensitive()
"""Marks a field as secret: ``key: Annotated[str, SENSITIVE]``. The field keeps its type; its value is masked."""


# Cached, because a context of some thousand interfaces repeats the same few names.
@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a field or key of this name is taken for a secret without being marked."""
    plain = name.lower().replace("-", "_")
    return any(part in plain for part in SECRET_NAME_PARTS)


@functools.cache
def marked_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of ``model`` marked ``SENSITIVE``, also inside: ``Annotated[str, SENSITIVE] | None``."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(_mentions_marker(part) for part in (*field.metadata, field.annotation))
    )


def collect_secrets(value: object) -> frozenset[str]:
    """All secret strings in a model, a mapping or a list, at any depth.

    Secret is what is marked ``SENSITIVE``, is a pydantic secret, or has a name such as ``password``.
    """
    return frozenset(text for text in _secrets(value) if len(text) >= MIN_SECRET_LENGTH)


class Masker:
    """Replaces secrets in a text by ``***``, also where ``repr`` or JSON has escaped them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {
            form for secret in secrets for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])
        }
        # Longest first, as one secret may begin with another.
        ordered = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """``text`` without the secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _secrets(value: object) -> Iterator[str]:
    # Not recursive, and each container once: a block may leave any nesting, and circles, in what it got.
    todo: list[tuple[object, bool]] = [(value, False)]
    seen: set[tuple[int, bool]] = set()
    while todo:
        item, marked = todo.pop()
        if isinstance(item, Secret | SecretStr | SecretBytes):
            todo.append((item.get_secret_value(), True))
        elif isinstance(item, str | bytes):
            if marked:
                yield item if isinstance(item, str) else item.decode("utf-8", "replace")
        elif (id(item), marked) not in seen:
            seen.add((id(item), marked))
            todo.extend(_parts(item, marked))


def _parts(container: object, marked: bool) -> Iterator[tuple[object, bool]]:
    """What ``container`` holds, each with whether it is secret as a whole."""
    if isinstance(container, BaseModel):
        declared = marked_fields(type(container))
        # vars and not getattr: a model built without validation may lack attributes.
        values: dict[str, Any] = {**vars(container), **(container.model_extra or {})}
        for name, item in values.items():
            yield item, marked or is_secret_name(name) or name in declared
    elif isinstance(container, Mapping):
        for key, item in container.items():
            yield item, marked or is_secret_name(str(key))
    elif isinstance(container, list | tuple | set | frozenset):
        for item in container:
            yield item, marked


def _mentions_marker(annotation: Any, depth: int = 0) -> bool:
    if isinstance(annotation, Sensitive) or annotation is Sensitive:
        return True
    if depth > MAX_ANNOTATION_DEPTH:
        return False
    # ``__value__`` is what a ``type`` statement gave a name to.
    inner = (*get_args(annotation), getattr(annotation, "__value__", None))
    return any(_mentions_marker(part, depth + 1) for part in inner if part is not None)
