"""Whether the event loop of a child has stalled, judged by the child's silence, and never by the supervisor's own.

The child can't judge: none of its code runs while C code holds the GIL, or while it is stopped. So its loop ticks, and
the silence is counted here, look by look. A look counts only if it came in time and found nothing unread. So a
supervisor that is late itself, or ticks that wait in the socket behind a flood, never cause a false report.

A loop that sleeps does not tick: it says so before, and ticks when it goes on. Its silence does not count as long as
its thread has not run between two looks. A thread that was woken, and waits for a GIL that another thread holds, runs
again and again.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from jobrunner.protocol.ticks import tick_seconds

_LATE_SHARE: Final = 0.5
"""How late a look may come and still count, as a share of the time between two looks."""

_LOOKS_AT_A_SLEEPER: Final = 4
"""How often, within the threshold, it looks at a loop that sleeps: less often than the loop would tick."""

_COMMON_TIMES: Final = 8

_TELLING_TICKS: Final = 2
"""So many ticks must be missing before a silence is reported: one is always on its way."""


@dataclass(frozen=True, slots=True)
class StallWatch:
    """What is known about one child's loop. `counted_seconds` of silence came before `counted_to`."""

    threshold_seconds: float
    counted_to: float
    due_at: float
    counted_seconds: float = 0.0
    flagged: bool = False
    sleeps: bool = False

    def silent_at(self, at: float) -> float:
        """Return for how long the loop has certainly been silent."""
        return self.counted_seconds + min(
            max(0.0, at - self.counted_to), tick_seconds(self.threshold_seconds)
        )

    def telling_at(self, at: float) -> float | None:
        """Return the silence at this time if it is long enough to mean something."""
        silent = self.silent_at(at)
        return silent if silent >= _TELLING_TICKS * tick_seconds(self.threshold_seconds) else None


def watch_from(at: float, threshold_seconds: float) -> StallWatch:
    """Begin to watch a loop."""
    return _next_look(StallWatch(threshold_seconds, counted_to=at, due_at=at), at)


def ticked(watch: StallWatch, at: float, *, sleeps: bool = False) -> tuple[StallWatch, float | None]:
    """Return the watch after a tick, and for how long the loop was stalled if that was reported."""
    stalled_seconds = watch.silent_at(at) if watch.flagged else None
    seen = replace(watch, counted_to=at, counted_seconds=0.0, flagged=False, sleeps=sleeps)
    return seen, stalled_seconds


def looked(watch: StallWatch, at: float, *, unread: bool, slept: bool = False) -> tuple[StallWatch, bool]:
    """Return the watch after a look at the channel, and whether to report the loop now.

    `unread`: the child has sent more than was read, perhaps a tick. `slept`: the loop's thread has not run since the
    look before.
    """
    if watch.sleeps and slept and not unread:
        return replace(watch, counted_to=at, counted_seconds=0.0, due_at=_look_at_sleeper(watch, at)), False
    late = at - watch.due_at > _LATE_SHARE * tick_seconds(watch.threshold_seconds)
    counted = watch.counted_seconds if late or unread else watch.silent_at(at)
    stalled = counted >= watch.threshold_seconds
    seen = replace(watch, counted_to=at, counted_seconds=counted, flagged=watch.flagged or stalled)
    return _next_look(seen, at), stalled and not watch.flagged


def _look_at_sleeper(watch: StallWatch, at: float) -> float:
    pause = max(tick_seconds(watch.threshold_seconds), watch.threshold_seconds / _LOOKS_AT_A_SLEEPER)
    # At times that many jobs share: waking up is most of the cost of a look.
    step = pause / _COMMON_TIMES
    return math.ceil((at + pause) / step) * step


def _next_look(watch: StallWatch, at: float) -> StallWatch:
    pause = tick_seconds(watch.threshold_seconds)
    missing = watch.threshold_seconds - watch.counted_seconds
    # In time for the threshold, but never at once: a look takes a turn of the loop.
    return replace(watch, due_at=at + (min(pause, max(missing, pause / 8)) if missing > 0 else pause))
