"""How a child masks: by the same engine as the supervisor, for what only the child can still recognize."""

import contextlib
import functools
from collections.abc import Callable

from jobrunner.channel import Channel
from jobrunner.protocol.caps import SECRET_CAP_CHARS, SECRETS_CAP
from jobrunner.protocol.encodable import encodable
from jobrunner.protocol.masking import Mask, SecretNames
from jobrunner.protocol.masking.names import BUILT_IN
from jobrunner.protocol.messages import Secret
from sdk.masking import Hide, Masking, use_masking

_MASKS_KEPT = 4
_MOST_WAITING_SECONDS = 2.0
"""In all of a job: nearly always it is much less than a millisecond for each."""


@functools.cache
def _names(redact_keys: tuple[str, ...]) -> SecretNames:
    # A child finds the ones of its template where an operator has added none.
    return SecretNames(redact_keys) if redact_keys else BUILT_IN


def mask_with(redact_keys: tuple[str, ...], tell: Callable[[str], None] = lambda _: None) -> None:
    """Have the SDK mask by value and by name, `redact_keys` among the names, and `tell` of what a block sets.

    All that leaves a child is masked by the supervisor. But the supervisor sees a text only after an exception's blanks
    were joined and its end was cut, and does not know what a block has put into its context.
    """
    names = _names(redact_keys)

    # One job masks many texts, and learns of secrets two or three times.
    @functools.lru_cache(maxsize=_MASKS_KEPT)
    def hiding(secrets: frozenset[str]) -> Hide:
        return Mask(secrets, names)

    use_masking(Masking(names.__contains__, hiding, tell))


def telling(channel: Channel) -> Callable[[str], None]:
    """Return what tells the supervisor of a secret that the block has set, before anything shows it."""
    told: set[str] = set()
    patience_seconds = _MOST_WAITING_SECONDS

    def tell(secret: str) -> None:
        nonlocal patience_seconds
        text = encodable(secret)
        for start in range(0, len(text), SECRET_CAP_CHARS):
            value = text[start : start + SECRET_CAP_CHARS]
            if value in told or len(told) >= SECRETS_CAP:
                continue
            told.add(value)
            # The supervisor is gone: nobody reads what this process says.
            with contextlib.suppress(OSError):
                channel.send(Secret(value=value))
                # Else what the block prints next could be read first. Not for ever: it holds up the block's loop.
                patience_seconds -= channel.wait_until_read(patience_seconds)

    return tell
