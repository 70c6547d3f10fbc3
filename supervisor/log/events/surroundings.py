"""Events of what surrounds the worker and does not do its part: a log's reader, a disk."""

from logging import ERROR

from supervisor.log.event import Event


class LogLinesDropped(
    Event, level=ERROR, text="{dropped_lines} line(s) of this log are missing: nobody took them in time."
):
    """Whoever reads the log stopped reading, or the disk behind it did not take more. The worker does not wait for it:
    it keeps a few thousand lines and drops the others."""

    dropped_lines: int
