"""Removes secrets from what the engine shows of a job. What a worker polls stays unchanged.

A value is secret if the block has marked it (`sensitiveParameters` of its registration), or if it is below a name such
as `password`. This includes the connection options of a device, which are JSON in a text, and the updates of a result.
If the result repeats these values unchanged, they are masked there, too. The worker has already masked them in
messages, in any form: its engine for that can't be loaded here, and is not needed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
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
"""As in `sdk.masking`. The engine stands alone, and loads nothing of the SDK. A test keeps the two equal."""

_PASS = re.compile(r"(?:^|[-_ .])(?i:pass)$|[a-z0-9]Pass$")
_JSON_FIELDS = frozenset({"connection_options", "connectionOptions"})
_MAX_JSON_LENGTH = 65_536
"""These three as in `sdk.masking` and `sdk.sensitive`."""

_ANY = "*"
_SHORTEST_CHARS = 6
_SHORTEST_NUMBER_DIGITS = 8
_NAME_SIGNS = {ord(sign): None for sign in "-_ ."}

Path = tuple[str, ...]


class JobMask:
    """Masks the documents of one job: first those that show what is secret, then those that may repeat it."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._known: _Known | None = None

    def learn(self, value: Any, paths: Iterable[Path] = ()) -> Any:
        """Return a copy with all secrets masked, and remember these values."""
        return self._masked(value, tuple(paths))

    def hide(self, value: Any) -> Any:
        """Return a copy in which no text contains a known value, and no number is one."""
        if self._known is None:
            self._known = _Known(filter(_is_telling, self._secrets))
        return self._known.without(value) if self._known else value

    def _masked(self, value: Any, paths: tuple[Path, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._below(key, inner, paths) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._below(_ANY, inner, paths) for inner in value]
        return value

    def _below(self, key: str, value: Any, paths: tuple[Path, ...]) -> Any:
        below = tuple(path[1:] for path in paths if path and path[0] in (key, _ANY))
        if () in below:
            return self._secret(key, value)
        # `"has_password": true` and an empty password may be shown.
        if _is_secret_name(key) and value and not isinstance(value, bool):
            return self._secret(key, value)
        inside = _unfolded(key, value)
        if inside is value:
            return self._masked(value, below)
        return _folded(inside, lambda document: self._masked(document, below))

    def _secret(self, key: str, value: Any) -> str | None:
        if value is None:
            return None
        self._secrets.update(_texts_below(key, value))
        self._known = None
        return MASK


def _is_secret_name(name: str) -> bool:
    plain = name.lower().translate(_NAME_SIGNS)
    return any(part in plain for part in SECRET_NAME_PARTS) or _PASS.search(name) is not None


def _is_telling(secret: str) -> bool:
    """Whether to search texts for this secret: a short one occurs in ordinary words."""
    return len(secret) >= (_SHORTEST_NUMBER_DIGITS if secret.isdecimal() else _SHORTEST_CHARS)


def _unfolded(key: str, value: Any) -> Any:
    """Return the object or list in a device's connection options, which are JSON in a text; all else unchanged."""
    if key not in _JSON_FIELDS or not isinstance(value, str) or len(value) > _MAX_JSON_LENGTH:
        return value
    try:
        inside = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return inside if isinstance(inside, dict | list) else value


def _folded(inside: Any, change: Callable[[Any], Any]) -> str:
    """Return the document from inside of a text, changed by `change`, as a text again."""
    try:
        return json.dumps(change(inside), ensure_ascii=False)
    except RecursionError:
        # The engine accepts a text of any nesting. If it is too deep to search, it is not shown.
        return MASK


def _texts_below(key: str, value: Any) -> Iterable[str]:
    yield from _texts_in(value)
    inside = _unfolded(key, value)
    if inside is not value:
        yield from _texts_in(inside)


def _texts_in(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts_below(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)
    elif isinstance(value, str):
        yield value
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


class _Known:
    """Secrets to remove from texts. However many they are, each text is searched only once."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = frozenset(texts)
        self._by_begin: dict[str, list[str]] = {}
        for text in self._texts:
            self._by_begin.setdefault(text[:_SHORTEST_CHARS], []).append(text)

    def __bool__(self) -> bool:
        return bool(self._texts)

    def without(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.without(key): self._without_below(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.without(inner) for inner in value]
        if isinstance(value, str):
            return self._without_known(value)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return MASK if is_number and str(value) in self._texts else value

    def _without_below(self, key: str, value: Any) -> Any:
        inside = _unfolded(key, value)
        return self.without(value) if inside is value else _folded(inside, self.without)

    def _without_known(self, text: str) -> str:
        begins = {text[at : at + _SHORTEST_CHARS] for at in range(len(text) - _SHORTEST_CHARS + 1)}
        found = [known for begin in begins & self._by_begin.keys() for known in self._by_begin[begin]]
        for known in sorted(found, key=len, reverse=True):
            text = text.replace(known, MASK)
        return text
