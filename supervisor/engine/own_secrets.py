"""The worker's own secrets, taken out of whatever the engine or a proxy says: one may echo what it was sent."""

from typing import Final
from urllib.parse import unquote, urlsplit

from jobrunner.protocol.masking import Mask, Masked

_CUT_CHARS: Final = 4096
"""Nothing longer than this is told of an answer, so that no more of it is searched."""


class OwnSecrets:
    """Masks by value: tokens, those before them, and the passwords in the addresses of engine and proxy."""

    def __init__(self, token: str | None, *urls: str | None) -> None:
        self._mask = Mask(
            [*([token] if token else []), *(secret for url in urls for secret in passwords_in(url))]
        )

    def learn(self, token: str) -> None:
        """Mask this token too. The one before stays masked: an answer may still tell of it."""
        self._mask.learn(token)

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
