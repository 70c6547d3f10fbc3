"""What a running job looks like from outside, now: what is known already. Nothing is read for it."""

from dataclasses import dataclass
from typing import Final

from supervisor.lifecycle.state import JobState, Phase
from supervisor.verdict import Limits
from supervisor.watch.look import Sample

_LINE_CHARS: Final = 200

STATES: Final = {
    Phase.WAITING: "starting",
    Phase.RUNNING: "running",
    Phase.CANCELLING: "cancelling",
    Phase.LINGERING: "ending",
}
"""What people are told of a job's phase. All others: it is being killed, or what it has left is."""


@dataclass(frozen=True, slots=True)
class JobView:
    """One job with a child. `sample` is the sampler's last, at most seconds old, `None` before the first one."""

    pid: int
    state: str
    limits: Limits
    sample: Sample | None
    stalled_seconds: float | None
    """For how long its event loop has been silent, where that is a stall."""
    last_line: str
    """The last line that it logged or printed, masked and cut; empty before the first one.

    Otherwise as the job wrote it: whoever shows it to a person escapes what a terminal would obey.
    """


def view_of(pid: int, state: JobState, sample: Sample | None, last_line: str, now: float) -> JobView:
    """Return the view. `now` is on the monotonic clock."""
    stall = state.stall
    stalled = stall.silent_at(now) if stall is not None and stall.flagged else None
    return JobView(
        pid, STATES.get(state.phase, "killing"), state.limits, sample, stalled, last_line[:_LINE_CHARS]
    )
