"""Removes the worker's own secrets from texts of the engine or a proxy: either may echo what the worker sent."""

from typing import Final
from urllib.parse import unquote, urlsplit

from jobrunner.protocol.masking import Mask, Masked

_CUT_CHARS: Final = 4096
"""A message shows no more than this of an answer, so no more of it is searched."""

_TOKENS_KEPT: Final = 20
"""The newest ones are kept. A token may be replaced every few minutes, for months; no answer quotes the old ones."""


class OwnSecrets:
    """Masks by value: the current and earlier tokens, and the passwords in the addresses of engine and proxy."""

    def __init__(self, token: str | None, *urls: str | None) -> None:
        self._passwords = [secret for url in urls for secret in passwords_in(url)]
        self._tokens = [token] if token else []
        self._mask = Mask([*self._passwords, *self._tokens])

    def learn(self, token: str) -> None:
        """Mask this token too. Earlier tokens stay masked: an answer may still quote one."""
        if token and self._tokens[-1:] != [token]:
            self._tokens = [*(each for each in self._tokens if each != token), token][-_TOKENS_KEPT:]
            # A new mask: a mask never forgets a value, and it has a maximum number of values.
            self._mask = Mask([*self._passwords, *self._tokens])

    def masked(self, text: str) -> Masked:
        """Return a text without these secrets, and without the value after a word such as `password`."""
        return self._mask(text[:_CUT_CHARS], cut_after=True)


def passwords_in(url: str | None) -> list[str]:
    """Return the password in a URL: as written, unquoted, and with the user as HTTP sends it."""
    try:
        parts = urlsplit(url or "")
        user, password = parts.username or "", parts.password
    except ValueError:
        return []
    if not password:
        return []
    plain = unquote(password)
    return list(dict.fromkeys([f"{unquote(user)}:{plain}", plain, password]))
