"""Events of the ended jobs that are kept for a while."""

from logging import ERROR, INFO, WARNING

from supervisor.log.event import Event


class JobLinesLeftOut(Event, level=INFO, text="{lines} line(s) are left out here."):
    """`supervisor logs` shows this in the place of missing lines. Of a long log, the worker keeps the first 256 KB and
    the last 768 KB. With -f, lines are also missing if the reader is too slow."""

    lines: int
    left_out_bytes: int | None


class EndedJobsNotKept(
    Event,
    level=ERROR,
    text="Ended jobs can't be kept in {path}: {reason}. {jobs} were not. Jobs and their results are not affected. "
    "Until the disk takes them again, `supervisor logs` and `supervisor job` don't know the jobs that end, nor "
    "those of earlier runs if this is said at the start.",
):
    """The disk of the state directory is full, read-only or broken, or does not answer. The log says it once, and again
    with the count at the end of the worker, if it lasts that long."""

    path: str
    jobs: int
    reason: str


class EndedJobsKeptAgain(
    Event, level=WARNING, text="Ended jobs are kept in {path} again. {jobs} of them were not."
):
    """`ended_jobs_not_kept` is over."""

    path: str
    jobs: int


class EndedJobsDamaged(
    Event,
    level=WARNING,
    text="{jobs} file(s) of ended jobs in {path} can't be read, and are passed over: {names}. They are removed when it "
    "is their turn.",
):
    """The worker or the machine ended during a write, or the disk has damaged the file. You need not do anything."""

    path: str
    jobs: int
    names: str


class ResultNotKept(
    Event,
    level=WARNING,
    text="The result data of this job are not kept with it: {reason}. The engine has them.",
):
    """Only with `--keep-results`."""

    job: str
    reason: str
