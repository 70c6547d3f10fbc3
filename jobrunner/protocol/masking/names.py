"""Decides by their names alone which keys, fields and parameters hold a secret."""

import re
from collections.abc import Iterable
from typing import Final

SECRET_NAME_PARTS: Final = (
    "passw",
    "pass_phrase",
    "pwd",
    "secret",
    "token",
    "community",
    "api_key",
    "private_key",
    "priv_key",
    "auth_key",
    "access_key",
    "shared_key",
    "ssh_key",
    "authorization",
)
"""A name that contains one of these, in any spelling (`apiKey`, `API-KEY`, `api_key`), names a secret."""

_PASS: Final = re.compile(r"(?:^|[-_ .])(?i:pass)$|[a-z0-9]Pass$")
"""`pass`, `user_pass` and `userPass` name secrets; `passed`, `bypass` and `pass_through` do not."""

_SEPARATORS: Final = re.compile(r"[-_ .]+")
_MOST_NAMES_REMEMBERED: Final = 4096


class SecretNames:
    """Knows the names of secrets. `extra` are additional parts of names, from an operator."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        parts = [
            _SEPARATORS.split(part.lower()) for part in (*SECRET_NAME_PARTS, *extra) if part.strip("-_ .")
        ]
        self._parts = tuple("".join(words) for words in parts)
        self.pattern = "|".join("[-_ .]?".join(map(re.escape, filter(None, words))) for words in parts)
        """An expression for the part that makes a name secret. Search for it without regard to case."""
        self.beginnings = frozenset(next(filter(None, words)) for words in parts)
        """The first words of the names, in lower case: without any of them, no secret's name begins."""
        # A context of some thousand interfaces repeats the same few names.
        self._known: dict[str, bool] = {}

    def __contains__(self, name: object) -> bool:
        text = str(name)
        known = self._known.get(text)
        if known is None:
            plain = _SEPARATORS.sub("", text.lower())
            known = any(part in plain for part in self._parts) or _PASS.search(text) is not None
            if len(self._known) < _MOST_NAMES_REMEMBERED:
                self._known[text] = known
        return known


BUILT_IN: Final = SecretNames()
"""The names that need no setting."""
