"""Secrets inside of configuration lines, taken out of what people and logs get to see. Pure."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"

# The word that a secret stands behind, and what may stand between: a type (`7`), an algorithm, a key's number.
_SECRET: Final = re.compile(
    r"\b((?:password|secret|passphrase|key-string|pre-shared-key|authentication-key|auth-string|md5|sha|hmac-sha-\d+"
    r"|snmp-server community|isakmp key|server-private \S+ key|server-key|(?:tacacs|radius)(?:-server)?(?: \S+)* key)"
    r"(?:[ ]+\d{1,2}(?=[ ]+\S))?)[ ]+(?!\*\*\*)\S+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Return configuration text in which passwords, keys and communities are `***`, by the words before them.

    A line of a kind that nobody has thought of keeps its secret: show no more of a configuration than is needed.
    """
    return _SECRET.sub(rf"\1 {MASK}", text)
