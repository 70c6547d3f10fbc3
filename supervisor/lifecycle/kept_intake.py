"""The written form of a pause or a drain, with which a killed worker continues it.

It has times of the wall clock: the monotonic clock begins again at each boot of the machine.
"""

import json
from typing import Any, Final

from supervisor.lifecycle.intake import LONGEST_PAUSE_SECONDS, IntakeMode, IntakeState, one_line

NOTHING: Final = ""
"""The text for a worker that polls for jobs."""


def text_of(state: IntakeState, now: float, wall_now: float) -> str:
    """Return the text for a state: `NOTHING` if the worker polls for jobs."""
    if state.is_open:
        return NOTHING
    left = state.seconds_left(now)
    kept: dict[str, Any] = {
        "drains": state.is_drain,
        "since": wall_now - (now - state.since),
        "until": None if left is None else wall_now + left,
        "by": state.by,
        "note": state.note,
        "ends_worker": state.ends_worker,
    }
    return json.dumps(kept)


def state_of(text: str, now: float, wall_now: float) -> IntakeState | None:
    """Return the written state, `None` if there is none or it can't be read.

    A pause that has run out meanwhile has no seconds left. If the clock was set back, no pause becomes longer than it
    was. A drained worker drains again: its results may have come back.
    """
    try:
        kept = json.loads(text)
        since, until = float(kept["since"]), kept["until"]
        mode = IntakeMode.DRAINING if kept["drains"] else IntakeMode.PAUSED
        left = None if until is None else min(float(until) - max(wall_now, since), LONGEST_PAUSE_SECONDS)
        return IntakeState(
            mode,
            since=now - max(0.0, wall_now - since),
            until=None if left is None else now + max(0.0, left),
            by=one_line(str(kept["by"])),
            note=one_line(str(kept["note"])),
            ends_worker=kept["ends_worker"] is True,
        )
    except (ValueError, KeyError, TypeError):
        return None
