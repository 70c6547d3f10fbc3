"""How many children wait for jobs."""

from typing import Final

MOST_SPARES: Final = 4


def spares_for(slots: int) -> int:
    """Return one more than ``slots``: the next job finds its child ready while the last one is replaced."""
    return min(slots + 1, MOST_SPARES)
