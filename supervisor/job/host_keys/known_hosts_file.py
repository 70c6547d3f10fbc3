"""The known-hosts format of OpenSSH (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): names, patterns, hashed names. Pure."""

import base64
import binascii
import fnmatch
import hmac
import re
from dataclasses import dataclass
from typing import Final

from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.public_key import PublicKey, public_key_of

_HASHED: Final = re.compile(r"\|1\|([A-Za-z0-9+/=]{1,100})\|([A-Za-z0-9+/=]{1,100})")
_GLOB: Final = frozenset("*?")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its text, and its meaning."""

    text: str
    names: tuple[str, ...]
    key: PublicKey
    comment: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether its names can be looked up without matching patterns or hashes."""
        return not any(name[0] in "|!" or _GLOB.intersection(name) for name in self.names)

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether the line is for this endpoint."""
        wanted = endpoint.name
        found = False
        for name in self.names:
            if name[0] == "|":
                found = found or _is_hash_of(name, wanted)
            elif name[0] == "!":
                if _is_alike(name[1:], wanted):
                    return False
            else:
                found = found or _is_alike(name, wanted)
        return found


@dataclass(frozen=True, slots=True)
class KnownHostsText:
    """The content of a file. `damaged` are the numbers of unreadable lines, `unused` those of lines with a marker.

    `@cert-authority` needs host certificates, which paramiko does not check; `@revoked` is only useful with them.
    """

    lines: tuple[Line, ...] = ()
    damaged: tuple[int, ...] = ()
    unused: tuple[int, ...] = ()


def parse(text: str) -> KnownHostsText:
    """Read a file. Invalid lines are left out, and counted."""
    lines: list[Line] = []
    damaged: list[int] = []
    unused: list[int] = []
    # Not `splitlines`: in OpenSSH, a form feed does not end a line.
    for number, written in enumerate(text.split("\n"), start=1):
        stripped = written.strip()
        if not stripped or stripped[0] == "#":
            continue
        if stripped[0] == "@":
            unused.append(number)
        elif (line := _line_of(stripped)) is None:
            damaged.append(number)
        else:
            lines.append(line)
    return KnownHostsText(tuple(lines), tuple(damaged), tuple(unused))


def line_text(endpoint: Endpoint, key: PublicKey, comment: str) -> str:
    """Return a line without its end. The parts contain no blank and no line end: see `endpoint_of`, `public_key_of`."""
    text = f"{endpoint.name} {key.type} {key.text} {comment}".rstrip()
    assert text.isprintable()
    return text


def _line_of(text: str) -> Line | None:
    fields = text.split(None, 3)
    if len(fields) < 3:
        return None
    names = tuple(_small(name) for name in fields[0].split(",") if name.strip("!"))
    key = public_key_of(fields[1], fields[2])
    if not names or key is None or any(name[0] == "|" and not _HASHED.fullmatch(name) for name in names):
        return None
    return Line(text, names, key, fields[3] if len(fields) > 3 else "")


def _small(name: str) -> str:
    return name if name[0] == "|" else name.lower()


def _is_alike(pattern: str, name: str) -> bool:
    if not _GLOB.intersection(pattern):
        return pattern == name
    # Known-hosts files have no character sets, and "[" begins an address with a port.
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _is_hash_of(hashed: str, name: str) -> bool:
    match = _HASHED.fullmatch(hashed)
    assert match is not None  # otherwise the line was not accepted
    try:
        salt, digest = base64.b64decode(match[1]), base64.b64decode(match[2])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)
