"""What each answer to a result means: a single table, with the reason for each row. Pure.

The documentation prints it (`docs.tools`): operators read exactly what the worker does.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final

SMALL_BYTES: Final = 16 * 1024
"""No server refuses a text of this size because of its size, so a 413 for it must mean something else."""

TRIES_WHEN_UNCLEAR: Final = 3
"""After so many refusals by an unknown sender, while other results are taken, a result counts as refused."""


class Meaning(Enum):
    """What an answer means for the result that was sent. The values are for the documentation."""

    DELIVERED = "delivered"
    AGAIN = "sent again"
    DENIED = "sent again, and said as an error"
    UNCLEAR = "sent again; final after three tries while the engine takes other results"
    REFUSED = "final: a failed result takes its place"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `answer` says which answers, `reason` why they have this meaning."""

    answer: str
    meaning: Meaning
    reason: str


DELIVERED: Final = Row("201", Meaning.DELIVERED, "The engine has stored the result.")
CONFLICT: Final = Row(
    "409",
    Meaning.DELIVERED,
    "The engine has a result of this job already: an earlier try arrived, or the engine has given the job up.",
)
ENGINE_REFUSES: Final = Row(
    "400 or 422, in the engine's own words",
    Meaning.REFUSED,
    "The engine has read this result and does not take it. The same text would be refused each time.",
)
TOO_LARGE: Final = Row(
    "413, in the engine's own words or for more than 16 KiB",
    Meaning.REFUSED,
    "The result is too large for the engine, or for a proxy before it, whoever says so. A small one gets through.",
)
UNKNOWN_JOB: Final = Row(
    "400, 413 or 422 that says that the job or the worker is not known",
    Meaning.AGAIN,
    "It is not this result that is refused. An engine that has just started may not know its jobs yet.",
)
WHO_REFUSES: Final = Row(
    "400, 413 or 422 without the engine's words (a web page, plain text, nothing)",
    Meaning.UNCLEAR,
    "A proxy or a load balancer may say this to everything for a while. If others get through and this one does not, "
    "it is about this one.",
)
NOT_ALLOWED: Final = Row(
    "401, 403, 407",
    Meaning.DENIED,
    "It is the worker that is not let in, not the result. A token or a password was replaced or has expired, and can "
    "be mended. The token file is read anew.",
)
PASSES: Final = Row(
    "404, 408, 425, 429 and every other 4xx",
    Meaning.AGAIN,
    "It speaks of the moment or of the way (a route that is not there yet, too many requests), not of this result. "
    "`Retry-After` is respected.",
)
SERVER_ERROR: Final = Row("5xx", Meaning.AGAIN, "The engine, or a proxy before it, has trouble of its own.")
NOT_THE_ENGINE: Final = Row(
    "1xx, 3xx, and 2xx other than 201",
    Meaning.AGAIN,
    "The engine has no such answer. It comes from something in between, such as a sign-in page.",
)
SILENCE: Final = Row(
    "no answer",
    Meaning.AGAIN,
    "The result may have arrived or not. If it has, the next try is answered with 409.",
)

TABLE: Final = (
    DELIVERED,
    CONFLICT,
    ENGINE_REFUSES,
    TOO_LARGE,
    UNKNOWN_JOB,
    WHO_REFUSES,
    NOT_ALLOWED,
    PASSES,
    SERVER_ERROR,
    NOT_THE_ENGINE,
    SILENCE,
)

_NOT_ALLOWED: Final = frozenset({401, 403, 407})
_ABOUT_THE_TEXT: Final = frozenset({400, 413, 422})
_TOO_LARGE: Final = 413
_NOT_KNOWN: Final = re.compile(
    r"\b(?:job|execution|worker)\b.{0,100}?\b(?:not found|not known|unknown|not exist|no longer exists)\b"
    r"|\b(?:no such|unknown) (?:job|execution|worker)\b",
    re.IGNORECASE | re.DOTALL,
)


def row_of(status: int | None, said: str | None, result_bytes: int) -> Row:
    """Return the row of an answer. `said` is the message in the engine's own words, `None` if there is none."""
    if status is None:
        return SILENCE
    if status in _ABOUT_THE_TEXT:
        return _about_the_text(status, said, result_bytes)
    if status in _NOT_ALLOWED:
        return NOT_ALLOWED
    if status in (201, 409):
        return DELIVERED if status == 201 else CONFLICT
    if status >= 500:
        return SERVER_ERROR
    return PASSES if status >= 400 else NOT_THE_ENGINE


def _about_the_text(status: int, said: str | None, result_bytes: int) -> Row:
    if said is not None and _NOT_KNOWN.search(said):
        return UNKNOWN_JOB
    if status == _TOO_LARGE:
        return TOO_LARGE if said is not None or result_bytes > SMALL_BYTES else WHO_REFUSES
    return WHO_REFUSES if said is None else ENGINE_REFUSES


def meaning_of(status: int | None, said: str | None, result_bytes: int) -> Meaning:
    """Return what an answer means; see `row_of`."""
    return row_of(status, said, result_bytes).meaning


def may_have_arrived(status: int | None) -> bool:
    """Whether the engine may have a result after a try that ended like this: its answer may have been lost."""
    return status is None or not 400 <= status < 500


class UnclearRefusals:
    """Counts refusals by an unknown sender, for each result. `taken` counts the results that the engine has taken."""

    def __init__(self) -> None:
        self._taken = 0
        self._seen: dict[int, tuple[int, int]] = {}

    def delivered(self, number: int) -> None:
        """The engine has taken a result, so it is there and answers itself."""
        self._taken += 1
        self._seen.pop(number, None)

    def forget(self, numbers: Collection[int]) -> None:
        """These results are not sent any more."""
        for number in numbers:
            self._seen.pop(number, None)

    def is_final(self, number: int) -> bool:
        """Count a refusal. Returns whether the result was refused often enough while others were taken."""
        count, taken = self._seen.get(number, (0, -1))
        if self._taken > taken:
            count += 1
        self._seen[number] = (count, self._taken)
        return count >= TRIES_WHEN_UNCLEAR
