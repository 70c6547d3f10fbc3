"""Lines for a POSIX shell. The answer says whether they succeeded. Pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

NOT_FOUND: Final = 127
"""The exit status of a shell if there is no such program."""

_MARK: Final = "neops-exit-status:"
_STATUS = re.compile(rf"{_MARK}(\d+)\s*\Z")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a line has printed, and its exit status."""

    output: str
    status: int


def with_status(line: str) -> str:
    """Return a line that prints its exit status after its output.

    It also finds programs for administrators: a user who is not root does not have their directories in the path.
    """
    return f"(PATH=$PATH:/usr/sbin:/sbin; {line}); echo {_MARK}$?"


def ended(text: str) -> Ended | None:
    """Read what a line of `with_status` has printed; None for a text that does not end with a status."""
    match = _STATUS.search(text)
    return None if match is None else Ended(text[: match.start()].lstrip("\r\n"), int(match[1]))
