"""The setting `--engine-url`, and which values are allowed."""

import re
from typing import Final
from urllib.parse import urlsplit

_URL: Final = re.compile(r"https?://[^\s/]+.*")
_LABEL_CHARS: Final = 63  # RFC 1035, section 2.3.4


def checked_engine_url(url: str) -> str:
    """Return `url` without slashes at its end. Raises `ValueError` if it can't be the address of an engine.

    The message does not repeat the address: it may hold a password.
    """
    if not _URL.fullmatch(url):
        raise ValueError("must be a URL such as http://engine:3030")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(
            "must be a URL such as http://engine:3030, with a host and a port from 0 to 65535; in a user's name and "
            "password, [ and ] are written %5B and %5D"
        ) from None
    labels = host.removesuffix(".").split(".")
    if not all(0 < len(label) <= _LABEL_CHARS for label in labels):
        raise ValueError(
            f"must name a host, such as http://engine:3030, with 1 to {_LABEL_CHARS} characters between its dots"
        )
    return url.rstrip("/")


def has_user(url: str) -> bool:
    """Whether there is a user or a password before the host. False if it is not a URL."""
    try:
        parts = urlsplit(url)
        login = parts.username or parts.password
    except ValueError:
        return False
    return bool(login)
