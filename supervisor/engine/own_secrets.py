"""The worker's own secrets, taken out of whatever the engine or a proxy says: one may echo what it was sent."""

from typing import Final
from urllib.parse import unquote, urlsplit

from jobrunner.protocol.masking import Mask, Masked

_CUT_CHARS: Final = 4096
"""Nothing longer than this is told of an answer, so that no more of it is searched."""

_TOKENS_KEPT: Final = 20
"""So many of the newest. A token may be replaced every few minutes, for months; of older ones no answer tells."""


class OwnSecrets:
    """Masks by value: tokens, those before them, and the passwords in the addresses of engine and proxy."""

    def __init__(self, token: str | None, *urls: str | None) -> None:
        self._passwords = [secret for url in urls for secret in passwords_in(url)]
        self._tokens = [token] if token else []
        self._mask = Mask([*self._passwords, *self._tokens])

    def learn(self, token: str) -> None:
        """Mask this token too. Those before it stay masked: an answer may still tell of one."""
        if token and self._tokens[-1:] != [token]:
            self._tokens = [*(each for each in self._tokens if each != token), token][-_TOKENS_KEPT:]
            # Another mask: what one learns it keeps, and it takes no more than a job may tell of.
            self._mask = Mask([*self._passwords, *self._tokens])

    def masked(self, text: str) -> Masked:
        """Return a text without them, and without what stands behind a word such as `password`."""
        return self._mask(text[:_CUT_CHARS], cut_after=True)


def passwords_in(url: str | None) -> list[str]:
    """Return the password in a URL, as it stands there and as it is meant, and with the user as HTTP sends it."""
    try:
        parts = urlsplit(url or "")
        user, password = parts.username or "", parts.password
    except ValueError:
        return []
    if not password:
        return []
    plain = unquote(password)
    return list(dict.fromkeys([f"{unquote(user)}:{plain}", plain, password]))
