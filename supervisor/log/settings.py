"""Settings of the log that are lists: levels of single loggers, and further names of secrets."""

from collections.abc import Iterable, Sized
from typing import Final, TypeVar

from jobrunner.protocol.caps import NAMES_CAP

LEVELS: Final = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "critical": 50}

_Found = TypeVar("_Found", bound=Sized)

_SHORTEST_PART_CHARS: Final = 2
_LONGEST_NAME_CHARS: Final = 200


def parse_levels(items: Iterable[str]) -> dict[str, int]:
    """Read `NAME=LEVEL` items. Raises `ValueError`, which names the wrong item."""
    levels: dict[str, int] = {}
    for item in items:
        name, _, level = (part.strip() for part in item.partition("="))
        number = LEVELS.get(level.lower())
        if not name or number is None or len(name) > _LONGEST_NAME_CHARS:
            raise ValueError(f"{item!r} is not NAME=LEVEL with a level of {', '.join(LEVELS)}")
        levels[name] = number
    return _not_too_many(levels)


def checked_levels(items: list[str]) -> list[str]:
    """Return `items` if they can be read as levels. Raises `ValueError`."""
    parse_levels(items)
    return items


def parse_redact_keys(items: Iterable[str]) -> list[str]:
    """Check parts of names of secrets. Raises `ValueError`: a part of one letter would mask nearly everything."""
    parts = list(dict.fromkeys(item.strip() for item in items))
    for part in parts:
        if len(part.strip("-_ .")) < _SHORTEST_PART_CHARS or len(part) > _LONGEST_NAME_CHARS:
            raise ValueError(f"{part!r} is not a part of a name, of two or more letters")
    return _not_too_many(parts)


def _not_too_many(found: _Found) -> _Found:
    if len(found) > NAMES_CAP:
        raise ValueError(f"more than {NAMES_CAP} are too many")
    return found
