"""Taking secrets out of texts: the one place that knows how. Pure, and of the standard library only.

`Mask` is what others use. By value: every secret of six or more characters, as it is and as it may be written
(`forms`, `views`, `hexadecimals`), whole or cut at an edge (`needles`). By name: what stands behind a key that speaks
of a secret (`names`, `keyed`, `prose`), and in a statement of a device's configuration (`configurations`).
`collector` finds the secrets in a job.

How much work the search of a text may be is counted (`effort`): what can't be searched is not shown.

What remains visible, by design: a secret of fewer than six characters, or a plain number of fewer than eight digits,
where no key stands in front of it (masking a common word would blank the log); a piece of fewer than three characters
at a place where a text was cut; a piece of more than eighty characters beside the dots of an abbreviation; what a
block computes from a secret (a hash, the characters in reverse, their numbers, Base32, UTF-32); a secret cut to pieces
on purpose, on lines of their own or with other text between, as in a hex dump with columns.
"""

from jobrunner.protocol.masking.collector import secrets_in
from jobrunner.protocol.masking.effort import AT_ONCE_UNITS, MOST_UNITS, Effort, TooMuchWorkError
from jobrunner.protocol.masking.mask import MASK, NO_TEXT, Mask, Masked, TextMask, end_of, not_shown
from jobrunner.protocol.masking.names import SecretNames

__all__ = [
    "AT_ONCE_UNITS",
    "MASK",
    "MOST_UNITS",
    "NO_TEXT",
    "Effort",
    "Mask",
    "Masked",
    "SecretNames",
    "TextMask",
    "TooMuchWorkError",
    "end_of",
    "not_shown",
    "secrets_in",
]
