"""Which job is meant by the part of an id that commands and logs show. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

SHORTEST_CHARS: Final = 6
CUT: Final = "…"
"""What `top` puts in front of the end of an id, where the beginnings of several are equal."""

_MOST_LISTED: Final = 10


def jobs_meant(given: str, known: Iterable[str]) -> list[str]:
    """Return the ids that `given` can mean: itself, else those that begin with it, or end with what is behind a `…`.

    Of fewer than six characters only a whole id is meant. The ids are in the order in which they are known, once each.
    """
    ids = list(dict.fromkeys(known))
    if given in ids:
        return [given]
    if given.startswith(CUT) and len(given) > SHORTEST_CHARS:
        return [each for each in ids if each.endswith(given.removeprefix(CUT))]
    return [each for each in ids if each.startswith(given)] if len(given) >= SHORTEST_CHARS else []


def several_meant(given: str, meant: Sequence[str]) -> str:
    """Return what is told where several jobs are meant."""
    more = f"\n  and {len(meant) - _MOST_LISTED} more" if len(meant) > _MOST_LISTED else ""
    listed = "".join(f"\n  {each}" for each in meant[:_MOST_LISTED])
    return f"{len(meant)} jobs have an id that begins with {given}. Say which one is meant:{listed}{more}"
