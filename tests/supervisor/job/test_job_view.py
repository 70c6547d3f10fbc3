"""What is told of a job that runs."""

from supervisor.job.view import view_of
from supervisor.lifecycle.state import JobState
from supervisor.verdict import Limits


def test_the_last_line_is_told_as_it_was_written_and_cut_so_that_what_shows_it_can_escape_it() -> None:
    view = view_of(4711, JobState(Limits(60, 5)), None, "a\x1b[2J\u202e" + "b" * 500, 0.0)
    assert view.last_line == "a\x1b[2J\u202e" + "b" * 194
