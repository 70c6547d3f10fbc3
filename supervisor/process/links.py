"""Where paths lead."""

import os
from collections.abc import Callable
from typing import Final

_MOST_LINKS: Final = 40
"""MAXSYMLINKS of Linux's include/linux/namei.h."""


def _read_link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:  # no link, not there, or not to be looked at
        return None


def links_and_end(path: str, read_link: Callable[[str], str | None] = _read_link) -> list[str]:
    """Return each link that `path`, which is absolute, goes over, and last where it leads.

    Every one is named by a path without links but for its own last part. What does not exist is taken as it stands.
    """
    links: dict[str, None] = {}
    rest, reached, followed = list(reversed(path.split("/"))), "", 0
    while rest:
        part = rest.pop()
        if part in ("", "."):
            continue
        if part == "..":
            reached = reached.rpartition("/")[0]
            continue
        here = f"{reached}/{part}"
        # What leads in a circle leads nowhere.
        target = read_link(here) if followed < _MOST_LINKS else None
        if target is None:
            reached = here
            continue
        links[here] = None
        followed += 1
        reached = "" if target.startswith("/") else reached
        rest += reversed(target.split("/"))
    return [*links, reached or "/"]
