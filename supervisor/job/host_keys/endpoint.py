"""An endpoint of a host key: an address and a port, and how OpenSSH writes the two. Pure."""

import re
from typing import Final, NamedTuple, TypeGuard

SSH_PORT: Final = 22
MOST_CHARS: Final = 255
"""The cap of an address or a name; DNS allows no longer one (RFC 1035)."""

# An address must not contain characters that end a field or a line of a known-hosts file, or mean a pattern there.
_HOST: Final = re.compile(rf"[^\s\x00-\x1f\x7f,|!*?#@\"\[\]]{{1,{MOST_CHARS}}}")
_WITH_PORT: Final = re.compile(r"\[([^\]]+)\]:(\d{1,5})|([^:\[\]]+):(\d{1,5})")


class Endpoint(NamedTuple):
    """An address or a lower-case name, and a port."""

    host: str
    port: int

    @property
    def name(self) -> str:
        """The endpoint in the form of a known-hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        return self.host if self.port == SSH_PORT else f"[{self.host}]:{self.port}"

    def __str__(self) -> str:
        """The endpoint in the form for messages."""
        return f"{self.host} port {self.port}"


def endpoint_of(host: object, port: object = SSH_PORT) -> Endpoint | None:
    """Return the endpoint for host and port, `None` if one of them can't be in a line of a known-hosts file."""
    if not isinstance(host, str) or not is_port(port):
        return None
    name = host.strip().strip("[]").lower()
    return Endpoint(name, port) if _HOST.fullmatch(name) else None


def is_port(value: object) -> TypeGuard[int]:
    """Whether this is the number of a TCP port."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def parse_name(text: str) -> tuple[str, int | None] | None:
    """Return address and port in a name that a person or a file uses; the port is `None` if there is none.

    Such names are `10.0.0.1`, `10.0.0.1:2222`, `[10.0.0.1]:2222` and `::1`. Returns `None` for an invalid name.
    """
    if match := _WITH_PORT.fullmatch(text):
        host, port = match[1] or match[3], int(match[2] or match[4])
    else:
        host, port = text, None
    found = endpoint_of(host, SSH_PORT if port is None else port)
    return None if found is None else (found.host, port)
