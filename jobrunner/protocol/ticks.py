"""How often a child's event loop shows that it runs. Both sides calculate with the same interval."""

from typing import Final

LONGEST_SECONDS: Final = 1.0
_SHORTEST_SECONDS: Final = 0.02
_TICKS_A_THRESHOLD: Final = 4


def tick_seconds(stall_seconds: float) -> float:
    """Return the seconds between two ticks of a loop that counts as stalled after `stall_seconds` of silence."""
    return _bounded(stall_seconds / _TICKS_A_THRESHOLD)


def shortest_tick_seconds(stall_seconds: float | None, blocking_seconds: float | None) -> float | None:
    """Return the seconds between two ticks of a loop with both watches, or with one. `None` without any."""
    asked = [tick_seconds(stall_seconds)] if stall_seconds else []
    if blocking_seconds:
        # A silence as long as the threshold is checked (`supervisor.watch.blocking`): a tick always fits in before.
        asked.append(_bounded(blocking_seconds / 2))
    return min(asked, default=None)


def _bounded(seconds: float) -> float:
    return max(_SHORTEST_SECONDS, min(LONGEST_SECONDS, seconds))
