"""What a running job looks like from outside now, from known data. Nothing is read for it."""

from dataclasses import dataclass, replace
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
"""The name of a job's phase for people. In all other phases the job, or what it has left, is being killed."""


@dataclass(frozen=True, slots=True)
class JobView:
    """One job with a child. `sample` is the sampler's last one, at most seconds old, `None` before the first."""

    pid: int
    state: str
    limits: Limits
    sample: Sample | None
    stalled_seconds: float | None
    """For how long its event loop has been silent, if that is a stall."""
    last_line: str
    """The last line that it logged or printed, masked and cut; empty before the first one.

    Otherwise as the job wrote it: code that shows it to a person must escape what a terminal would obey.
    """


def since_order(sample: Sample | None, used_before_seconds: float) -> Sample | None:
    """Return a sample without the processor time that the child had used before its order (docs/adr/0037)."""
    if sample is None:
        return None
    return replace(sample, cpu_seconds=max(0.0, sample.cpu_seconds - used_before_seconds))


def view_of(pid: int, state: JobState, sample: Sample | None, last_line: str, now: float) -> JobView:
    """Return the view. `now` is on the monotonic clock."""
    stall = state.stall
    stalled = stall.silent_at(now) if stall is not None and stall.flagged else None
    return JobView(
        pid, STATES.get(state.phase, "killing"), state.limits, sample, stalled, last_line[:_LINE_CHARS]
    )
