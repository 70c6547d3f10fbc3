"""How often a child's event loop shows that it runs. Both sides count on the same interval."""

from typing import Final

LONGEST_SECONDS: Final = 1.0
_SHORTEST_SECONDS: Final = 0.02
_TICKS_A_THRESHOLD: Final = 4


def tick_seconds(stall_seconds: float) -> float:
    """Return the seconds between two ticks of a loop that counts as stalled after ``stall_seconds`` of silence."""
    return max(_SHORTEST_SECONDS, min(LONGEST_SECONDS, stall_seconds / _TICKS_A_THRESHOLD))
