"""Events of the ended jobs that are kept for a while."""

from logging import ERROR, INFO, WARNING

from supervisor.log.event import Event


class JobLinesLeftOut(Event, level=INFO, text="{lines} line(s) are left out here."):
    """Stands in what `supervisor logs` shows of a job, in the place of lines that are not kept: of a long log, the
    first 256 KB and the last 768 KB are; or of lines that whoever follows a job was too slow for."""

    lines: int
    left_out_bytes: int | None


class EndedJobsNotKept(
    Event,
    level=ERROR,
    text="Ended jobs can't be kept in {path}: {reason}. {jobs} were not. Jobs and their results are not affected. "
    "Until the disk takes them again, `supervisor logs` and `supervisor job` don't know the jobs that end, nor "
    "those of earlier runs if this is said at the start.",
):
    """The disk of the state directory is full, read-only or broken, or does not answer. Said once, and again at the end
    of the worker with the count, if it lasts so long."""

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
    """The worker or the machine ended while a file was written, or the disk has damaged it. Nothing is to be done."""

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
