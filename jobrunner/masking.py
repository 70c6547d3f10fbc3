"""How a child masks: by the same engine as the supervisor, for texts that only the child can still recognise."""

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
"""The most for a whole job. Nearly always, each wait is much shorter than a millisecond."""


@functools.cache
def _names(redact_keys: tuple[str, ...]) -> SecretNames:
    # If the operator has added no names, a child finds those that its template has made.
    return SecretNames(redact_keys) if redact_keys else BUILT_IN


def mask_with(redact_keys: tuple[str, ...], tell: Callable[[str], None] = lambda _: None) -> None:
    """Make the SDK mask by value and by name, with `redact_keys` among the names, and `tell` for secrets of a block.

    The supervisor masks everything that leaves a child. But it sees a text only after an exception's blanks were joined
    and its end was cut, and it does not know what a block has put into its context.
    """
    names = _names(redact_keys)

    # One job masks many texts, but learns secrets only two or three times.
    @functools.lru_cache(maxsize=_MASKS_KEPT)
    def hiding(secrets: frozenset[str]) -> Hide:
        return Mask(secrets, names)

    use_masking(Masking(names.__contains__, hiding, tell))


def telling(channel: Channel) -> Callable[[str], None]:
    """Return a function that reports a secret of the block to the supervisor, before anything shows the secret."""
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
            # If the supervisor is gone, nobody reads what this process sends.
            with contextlib.suppress(OSError):
                channel.send(Secret(value=value))
                # Otherwise the block's next output could be read first. Limited, because it holds up the block's loop.
                patience_seconds -= channel.wait_until_read(patience_seconds)

    return tell
