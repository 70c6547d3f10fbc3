"""How a child masks: by the same engine as the supervisor, for what only the child can still recognize."""

import functools

from jobrunner.protocol.masking import Mask, SecretNames
from sdk.masking import Hide, Masking, use_masking

_MASKS_KEPT = 4


def mask_with(redact_keys: tuple[str, ...]) -> None:
    """Have the SDK mask by value and by name, ``redact_keys`` among the names.

    All that leaves a child is masked by the supervisor. But the supervisor sees a text only after an exception's blanks
    were joined and its end was cut, and does not know what a block has put into its context.
    """
    names = SecretNames(redact_keys)

    # One job masks many texts, and learns of secrets two or three times.
    @functools.lru_cache(maxsize=_MASKS_KEPT)
    def hiding(secrets: frozenset[str]) -> Hide:
        return Mask(secrets, names)

    use_masking(Masking(names.__contains__, hiding))
