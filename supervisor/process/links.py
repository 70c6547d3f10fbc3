"""Where paths lead."""

import os
from collections.abc import Callable
from typing import Final

_MOST_LINKS: Final = 40
"""MAXSYMLINKS of Linux's include/linux/namei.h."""


def _read_link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:  # not a link, missing, or not readable
        return None


def links_and_end(path: str, read_link: Callable[[str], str | None] = _read_link) -> list[str]:
    """Return each link on the way of the absolute `path`, and last the path where it leads.

    Each link is named by a path without links, except its own last part. A part that does not exist stays as it is.
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
        # A circle of links leads nowhere.
        target = read_link(here) if followed < _MOST_LINKS else None
        if target is None:
            reached = here
            continue
        links[here] = None
        followed += 1
        reached = "" if target.startswith("/") else reached
        rest += reversed(target.split("/"))
    return [*links, reached or "/"]
