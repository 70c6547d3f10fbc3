"""Removes secrets from texts: the only code that knows how. Pure, and it uses only the standard library.

Other code uses `Mask`. By value: every secret of six or more characters, unchanged and as it may be written (`forms`,
`views`, `hexadecimals`), whole or cut at an edge (`needles`). By name: what comes after a key that names a secret
(`names`, `keyed`, `prose`), and in a statement of a device's configuration (`configurations`).
`collector` finds the secrets in a job.

The work for the search of a text is counted (`effort`). A text that takes too much work is not shown.

Some things stay visible by design: a secret of fewer than six characters, or a plain number of fewer than eight digits,
without a key before it (if a common word were masked, the log would be useless); a piece of fewer than three characters
at a place where a text was cut; a piece of more than eighty characters beside the dots of an abbreviation; what a
block computes from a secret (a hash, the characters in reverse, their numbers, Base32, UTF-32); a secret that was cut
to pieces on purpose, on separate lines or with other text between, as in a hex dump with columns.
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
