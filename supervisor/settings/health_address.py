"""Where the worker's health is served: `HOST:PORT` on the loopback, or the path of a Unix socket."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOST_PATH_BYTES: Final = 107  # unix(7): sun_path, with its end
_HIGHEST_PORT: Final = 65535
_HOST_AND_PORT: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]/]+)):(?P<port>[0-9]{1,5})"
)


@dataclass(frozen=True, slots=True)
class LoopbackAddress:
    """An address that only this machine can reach. Port 0 is any free one."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """Whether it is an IPv6 address."""
        return ":" in self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


HealthAddress = LoopbackAddress | Path


def parse_health_address(text: str) -> HealthAddress:
    """Return the address in `text`. Raises `ValueError`, also for an address that other machines can reach."""
    if text.startswith("/"):
        if len(text.encode()) > _MOST_PATH_BYTES:
            raise ValueError(f"the path of a socket may have {_MOST_PATH_BYTES} bytes; name a shorter one")
        return Path(text)
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None or int(found["port"]) > _HIGHEST_PORT:
        raise ValueError(
            "must be HOST:PORT, such as 127.0.0.1:9464, or the path of a socket that begins with /"
        )
    host = "127.0.0.1" if found["host"] == "localhost" else found["six"] or found["host"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(
            "must have a number as its host: 127.0.0.1 or [::1]. What a name leads to may change"
        ) from None
    if not address.is_loopback:
        raise ValueError(
            "may be reached from this machine alone: use 127.0.0.1 or [::1]. For a monitoring server on another "
            "machine, put a proxy with TLS in front of it"
        )
    return LoopbackAddress(str(address), int(found["port"]))


def checked_health_address(text: str | None) -> str | None:
    """Return `text` unchanged. Raises `ValueError` if it is not an address."""
    if text is not None:
        parse_health_address(text)
    return text
