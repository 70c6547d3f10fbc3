"""Removes secrets from configuration lines before people and logs see them. Pure."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"

# The word before a secret, and what may stand between: a type (`7`), an algorithm, a key's number, a peer.
_SECRET: Final = re.compile(
    r"""(
    (?: \b (?: password | password-encrypt | secret | passphrase | key-string | pre-shared-key | authentication-key
              | auth-string | md5 | sha | hmac-sha-\d+ | priv[ ]+(?:aes|des|3des)(?:[ ]+\d{2,3})?
              | snmp-server[ ]community
              | snmp-server[ ]host[ ]+\S+ (?:[ ]+vrf[ ]+\S+)? (?:[ ]+(?:traps|informs))?
                (?:[ ]+version[ ]+(?:1|2c|3[ ]+\S+))?
              | isakmp[ ]key | server-private[ ]\S+[ ]key | server-key
              | (?:tacacs|radius)(?:-server)?(?:[ ]\S+)*[ ]key )
      | ^[-+ ]*[ ]key (?![ ]+\d{1,3}[ ]*$) )      # of a server's section; a short number alone is that of a key chain
    (?:[ ]+level[ ]+\d+)? (?:[ ]+\d{1,2}(?=[ ]+\S))?
    (?:[ ]+(?:address|hostname)(?:[ ]+\S+){1,3}?[ ]+key)?
    (?:[ ]+(?:md5|sha|sha-?\d+|hmac-\S+|cmac-\S+|local|remote)(?=[ ]+\S))? (?:[ ]+\d{1,2}(?=[ ]+\S))?
    ) [ ]+ (?!\*\*\*|key-string\b|key-chain\b|chain\b) \S+""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def without_secrets(text: str) -> str:
    """Return configuration text with `***` for passwords, keys and communities. It finds them by the words before them.

    A secret in a line of an unknown kind stays: show no more of a configuration than is needed.
    """
    return _SECRET.sub(rf"\1 {MASK}", text)
