"""How secrets are removed from a text. The SDK itself only knows the secrets; the code that runs blocks masks them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

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
"""Parts of secret names, in lower case and without `-` and `_`."""

_PASS = re.compile(r"(?:^|[-_ .])(?i:pass)$|[a-z0-9]Pass$")
_SHORTEST_CHARS = 6

_SHORTEST_PIECE_CHARS = 3

MAX_MESSAGE_LENGTH = 16_000
"""The longest message of a result, in characters, with the mark of a cut."""

_MARK_LENGTH = 50


class Hide(Protocol):
    """Removes the secrets from a text."""

    def __call__(self, text: str, *, cut_after: bool = False) -> str:
        """`text` without secrets; with `cut_after` also without the piece of a secret that a cut left at its end."""
        ...


def _is_built_in_name(name: str) -> bool:
    plain = name.lower().translate({ord(sign): None for sign in "-_ ."})
    return any(part in plain for part in SECRET_NAME_PARTS) or _PASS.search(name) is not None


def _hide_as_they_are(secrets: Iterable[str]) -> Hide:
    # Longest first, because one secret may begin with another.
    ordered = sorted((text for text in secrets if len(text) >= _SHORTEST_CHARS), key=len, reverse=True)

    def hide(text: str, *, cut_after: bool = False) -> str:
        for secret in ordered:
            text = text.replace(secret, MASK)
        for secret in ordered if cut_after else ():
            for length in range(len(secret) - 1, _SHORTEST_PIECE_CHARS - 1, -1):
                if text.endswith(secret[:length]):
                    return text[:-length] + MASK
        return text

    return hide


@dataclass(frozen=True, slots=True)
class Masking:
    """Which names are secret, how values are hidden, and who is told about a secret that a block has set itself.

    The defaults are for a block that is called directly, as in a notebook: only there nobody else masks. In a job,
    the job runner sets its own (`use_masking`), which also know how secrets are escaped and encoded.
    """

    is_secret_name: Callable[[str], bool] = _is_built_in_name
    hiding: Callable[[frozenset[str]], Hide] = _hide_as_they_are
    tell: Callable[[str], None] = lambda secret: None


_in_force = Masking()

_MOST_LEARNED = 1000
_learned: ContextVar[set[str] | None] = ContextVar("secrets that the block has set", default=None)
"""The secrets of one job: in tests, several jobs can run in one process. None outside of a job, and in a thread that
the block has started by itself."""


_CameWith = Callable[[], frozenset[str]]
_came_with: ContextVar[_CameWith | None] = ContextVar("secrets that the job came with", default=None)
_of_latest: _CameWith | None = None
"""Those of the job that began last in this process, nearly always the only one: for threads without its context."""


def use_masking(masking: Masking) -> None:
    """Make this process mask in this way from now on."""
    global _in_force
    _in_force = masking


def is_secret_name(name: str) -> bool:
    """Whether a field or key of this name counts as secret without a mark."""
    return _in_force.is_secret_name(name)


def hiding(secrets: frozenset[str]) -> Hide:
    """A function that removes `secrets` from a text, and the secrets that the job's block has set itself (`learn`)."""
    return _in_force.hiding(secrets.union(_learned.get() or ()))


def hiding_all(secrets: frozenset[str] = frozenset()) -> Hide:
    """A function that removes `secrets` and all secrets of the running job, those that it came with and its block's.

    For texts outside of its result. For a large job, the first call takes a while.
    """
    came_with = _came_with.get() or _of_latest
    return hiding(secrets | came_with() if came_with is not None else secrets)


def hide_in_message(text: str, secrets: frozenset[str]) -> str:
    """A result's message without `secrets`, cut if it is longer than a message may be.

    It is cut first: it takes seconds to search 50 MB, and nothing else runs in the process in that time.
    """
    hide = hiding(secrets)
    if len(text) <= MAX_MESSAGE_LENGTH:
        return hide(text)
    kept = text[: MAX_MESSAGE_LENGTH - _MARK_LENGTH]
    return f"{hide(kept, cut_after=True)} … [{len(text) - len(kept)} more characters cut]"


def start_learning() -> None:
    """Forget what the block of another job has set, because a new job begins here."""
    _learned.set(set())


def know_job(came_with: _CameWith) -> None:
    """Make `hiding_all` also hide what `came_with` returns: the secrets of the job that begins here."""
    global _of_latest
    _of_latest = came_with
    _came_with.set(came_with)


def learn(secrets: Iterable[str]) -> None:
    """Also hide these from now on: the block has set them."""
    known = _learned.get()
    for secret in secrets:
        if known is None or (secret not in known and len(known) < _MOST_LEARNED):
            _in_force.tell(secret)
            if known is not None:
                known.add(secret)
