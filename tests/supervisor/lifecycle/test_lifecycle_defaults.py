"""What is assumed of a job of which nothing is known yet: nothing bad."""

from supervisor.lifecycle.events import Conclude, MemoryMeasured, TreeCleared
from supervisor.lifecycle.state import JobState
from supervisor.verdict import Limits
from supervisor.verdict.ending import Ending, OutcomeSeen, Usage


def test_a_fresh_job_has_nothing_against_it() -> None:
    limits = Limits(max_seconds=10, grace_seconds=2)
    state = JobState(limits)
    assert state.ending(3.0) == Ending(usage=Usage(3.0, None, None), limits=limits)
    assert (state.channel_ended, state.killed, state.lingered, state.channel_closed) == (False,) * 4


def test_an_event_says_only_what_it_was_told() -> None:
    assert MemoryMeasured(at=1.0, used_mb=5.0).at_limit is False
    cleared = TreeCleared(at=1.0)
    assert (cleared.killed, cleared.remaining, cleared.peak_memory_mb, cleared.cpu_seconds) == (
        0,
        0,
        None,
        None,
    )
    assert Conclude(0.0).stuck is False
    assert OutcomeSeen(success=True, message="").raised is False
