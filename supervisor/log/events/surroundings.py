"""Events of things around the worker that fail: a reader of its log, a disk."""

from logging import ERROR, INFO, WARNING

from supervisor.log.event import Event


class LogLinesDropped(
    Event, level=ERROR, text="{dropped_lines} line(s) of this log are missing: nobody took them in time."
):
    """The reader of the log stopped reading, or the disk of the log took no more. The worker does not wait for that: it
    keeps a few thousand lines and drops the others."""

    dropped_lines: int


class JobDirectoriesElsewhere(
    Event,
    level=ERROR,
    text="The directories of jobs can't be made in {path}: {reason}. Check that disk. Until then jobs get theirs in "
    "{place}.",
):
    """The disk of the state directory is full, read-only or broken, or does not answer. Jobs go on, with their files in
    memory."""

    path: str
    place: str
    reason: str


class JobDirectoriesBack(Event, level=INFO, text="The directories of jobs are made in {path} again."):
    """`job_directories_elsewhere` is over."""

    path: str


class JobDirectoriesMadeAnew(
    Event, level=WARNING, text="{path} was removed while the worker runs. The worker has made it anew."
):
    """Somebody has removed the directory in which the jobs' directories are. Jobs that ran meanwhile have lost their
    files."""

    path: str
