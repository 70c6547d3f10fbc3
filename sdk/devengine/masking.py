"""Secrets taken out of what the engine shows of a job; what a worker polls is not touched.

Secret is what the block has marked (`sensitiveParameters` of its registration), and what stands below a name such as
`password`. These values are also masked where the result repeats them as they are. What the worker masks in messages,
however it is written there, has been masked when it comes here: its engine for that can't be loaded here, and need not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MASK = "***"
SECRET_NAME_PARTS = (
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "community",
    "apikey",
    "privatekey",
    "privkey",
    "authkey",
    "accesskey",
    "sharedkey",
    "sshkey",
    "authorization",
)
"""As `sdk.masking` has them. The engine stands alone, and loads nothing of the SDK: a test holds the two together."""

_ANY = "*"
_SHORTEST_CHARS = 6
_SHORTEST_NUMBER_DIGITS = 8
_NAME_SIGNS = {ord(sign): None for sign in "-_ ."}

Path = tuple[str, ...]


class JobMask:
    """Masks what is known of one job. First the documents that tell what is secret, then those that may repeat it."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def learn(self, value: Any, paths: Iterable[Path] = ()) -> Any:
        """Return a copy with all that is secret masked, and know these values from now on."""
        return self._masked(value, tuple(paths))

    def hide(self, value: Any) -> Any:
        """Return a copy in which no text repeats a known value, and no number is one."""
        ordered = sorted(filter(_is_telling, self._secrets), key=len, reverse=True)
        return _without(value, ordered) if ordered else value

    def _masked(self, value: Any, paths: tuple[Path, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._below(key, inner, paths) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._below(_ANY, inner, paths) for inner in value]
        return value

    def _below(self, key: str, value: Any, paths: tuple[Path, ...]) -> Any:
        below = tuple(path[1:] for path in paths if path and path[0] in (key, _ANY))
        if () in below:
            return self._secret(value)
        # `"has_password": true` and an empty password are worth showing.
        if _is_secret_name(key) and value and not isinstance(value, bool):
            return self._secret(value)
        return self._masked(value, below)

    def _secret(self, value: Any) -> str | None:
        if value is None:
            return None
        self._secrets.update(_texts_in(value))
        return MASK


def _is_secret_name(name: str) -> bool:
    plain = name.lower().translate(_NAME_SIGNS)
    return any(part in plain for part in SECRET_NAME_PARTS)


def _is_telling(secret: str) -> bool:
    """Whether a text may be searched for it: a short one stands in ordinary words."""
    return len(secret) >= (_SHORTEST_NUMBER_DIGITS if secret.isdecimal() else _SHORTEST_CHARS)


def _texts_in(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)
    elif isinstance(value, str):
        yield value
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


def _without(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {_without(key, secrets): _without(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, secrets) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return MASK if is_number and str(value) in secrets else value
