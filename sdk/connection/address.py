"""Whether a text can be the address of a device. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_MOST_CHARACTERS: Final = 253
"""The longest name (RFC 1035, section 3.1)."""

# No name has these characters, in any script. A text that has them was meant to be something else.
_NO_PART_OF_A_NAME: Final = re.compile(r"[^\w.%-]")


def fault_of(address: str) -> str | None:
    """Return why `address` can be neither an address nor a name of a device; None if it can be one."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        pass
    else:
        return None
    if address != "".join(address.split()) or not address.isprintable():
        return "it has blanks or control characters in it"
    if "/" in address:
        return "it has a prefix length behind it; write the address alone"
    if address.startswith("["):
        return "it has brackets around it; write the address alone"
    if address.count(":") == 1:
        return "it has a port behind it, which belongs into `port` of the connection options"
    if len(address) > _MOST_CHARACTERS or _NO_PART_OF_A_NAME.search(address):
        return "it is neither an address nor the name of a host"
    return None
