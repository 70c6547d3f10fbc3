"""How much work the search of a text may take.

The work is counted, not measured: what is shown of a job must not depend on the load of the machine. A unit is 50 to
100 nanoseconds: about the time to look up six characters in a table.
"""

from collections.abc import Callable
from typing import Final

from jobrunner.protocol.errors import ProtocolError

AT_ONCE_UNITS: Final = 200_000
"""The limit in one turn of a loop: 10 to 20 milliseconds. A line of 1000 ordinary characters takes a hundredth of
it."""

MOST_UNITS: Final = 8_000_000
"""For the longest text that leaves a job, with the most escapes that are no attack: half a second, beside the loop."""

DECODE_UNITS: Final = 12
"""To undo one escape, and to remember its place."""

FOUND_UNITS: Final = 40
"""To mask one place: its position in the text is looked up through every view."""

CHARS_PER_UNIT: Final = 32
"""To compare, to copy or to search with the standard library's own loops."""

_BETWEEN_PAUSES_UNITS: Final = 20_000


class TooMuchWorkError(ProtocolError):
    """A text can't be searched within the granted effort."""


class Effort:
    """The work that is granted for one text, or for several that belong together. `pause` is called every few
    milliseconds of work, to let other threads run, if the work is done beside a loop."""

    __slots__ = ("_left", "_pause", "_pause_at", "_units")

    def __init__(self, units: int = AT_ONCE_UNITS, pause: Callable[[], None] | None = None) -> None:
        self._units = self._left = units
        self._pause = pause
        self._pause_at = units - _BETWEEN_PAUSES_UNITS if pause else -1

    @property
    def used(self) -> int:
        """The units that were spent."""
        return self._units - self._left

    def spend(self, units: int) -> None:
        """Spend so many units. Raises `TooMuchWorkError` if fewer were left."""
        self._left -= units
        if self._left < 0:
            raise TooMuchWorkError
        if self._left < self._pause_at and self._pause is not None:
            self._pause_at = self._left - _BETWEEN_PAUSES_UNITS
            self._pause()
