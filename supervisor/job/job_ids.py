"""Finds the job for the part of an id that commands and logs show. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

SHORTEST_CHARS: Final = 6
CUT: Final = "…"
"""`top` puts this before the end of an id, if the beginnings of several ids are equal."""

_MOST_LISTED: Final = 10


def jobs_meant(given: str, known: Iterable[str]) -> list[str]:
    """Return the ids that `given` can mean: itself, otherwise those that begin with it, or end with the text after `…`.

    A text of fewer than six characters must be a whole id. The ids are in the given order, once each.
    """
    ids = list(dict.fromkeys(known))
    if given in ids:
        return [given]
    if given.startswith(CUT) and len(given) > SHORTEST_CHARS:
        return [each for each in ids if each.endswith(given.removeprefix(CUT))]
    return [each for each in ids if each.startswith(given)] if len(given) >= SHORTEST_CHARS else []


def several_meant(given: str, meant: Sequence[str]) -> str:
    """Return the message for several possible jobs."""
    more = f"\n  and {len(meant) - _MOST_LISTED} more" if len(meant) > _MOST_LISTED else ""
    listed = "".join(f"\n  {each}" for each in meant[:_MOST_LISTED])
    return f"{len(meant)} jobs have an id that begins with {given}. Say which one is meant:{listed}{more}"
