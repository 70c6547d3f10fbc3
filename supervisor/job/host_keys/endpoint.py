"""Where a host key belongs: an address and a port, and how OpenSSH writes the two. Pure."""

import re
from typing import Final, NamedTuple, TypeGuard

SSH_PORT: Final = 22
MOST_CHARS: Final = 255
"""Of an address or a name; DNS allows no longer one (RFC 1035)."""

# What would end the field or the line of a known-hosts file, or mean a pattern there, is part of no address.
_HOST: Final = re.compile(rf"[^\s\x00-\x1f\x7f,|!*?#@\"\[\]]{{1,{MOST_CHARS}}}")
_WITH_PORT: Final = re.compile(r"\[([^\]]+)\]:(\d{1,5})|([^:\[\]]+):(\d{1,5})")


class Endpoint(NamedTuple):
    """An address or a name in small letters, and a port."""

    host: str
    port: int

    @property
    def name(self) -> str:
        """The endpoint as a known-hosts file has it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        return self.host if self.port == SSH_PORT else f"[{self.host}]:{self.port}"

    def __str__(self) -> str:
        """The endpoint as messages name it."""
        return f"{self.host} port {self.port}"


def endpoint_of(host: object, port: object = SSH_PORT) -> Endpoint | None:
    """Return the endpoint that these two make, `None` where one of them is none that a line could hold."""
    if not isinstance(host, str) or not is_port(port):
        return None
    name = host.strip().strip("[]").lower()
    return Endpoint(name, port) if _HOST.fullmatch(name) else None


def is_port(value: object) -> TypeGuard[int]:
    """Whether this is the number of a TCP port."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def parse_name(text: str) -> tuple[str, int | None] | None:
    """Return address and port of what a person or a file calls an endpoint; the port is `None` where none is named.

    `10.0.0.1`, `10.0.0.1:2222`, `[10.0.0.1]:2222` and `::1` are such names. Returns `None` for what is none.
    """
    if match := _WITH_PORT.fullmatch(text):
        host, port = match[1] or match[3], int(match[2] or match[4])
    else:
        host, port = text, None
    found = endpoint_of(host, SSH_PORT if port is None else port)
    return None if found is None else (found.host, port)
