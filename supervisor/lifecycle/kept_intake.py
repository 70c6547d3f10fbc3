"""A pause or a drain as it is written down, so that a worker that was killed goes on with it.

Written down are times of the wall clock: the monotonic one begins anew with each boot of the machine.
"""

import json
from typing import Any, Final

from supervisor.lifecycle.intake import LONGEST_PAUSE_SECONDS, IntakeMode, IntakeState, one_line

NOTHING: Final = ""
"""What is written down of a worker that asks for jobs."""


def text_of(state: IntakeState, now: float, wall_now: float) -> str:
    """Return what is to be written down of a state: `NOTHING` where jobs are asked for."""
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
    """Return the state that was written down, `None` where there is none that can be read.

    A pause that has run out meanwhile has no seconds left. A clock that was set back makes none longer than it was.
    What was drained drains again: its results may have come back.
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
