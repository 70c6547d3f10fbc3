"""Events of single jobs: start, end, and what a job says and does in between."""

from logging import CRITICAL, DEBUG, ERROR, INFO, WARNING

from supervisor.log.event import Event


class JobStarted(Event, level=INFO, text="The job starts."):
    """A job was given to a child process. `slot` counts from 0."""

    job: str
    block: str
    slot: int
    pid: int


class JobWaits(
    Event,
    level=INFO,
    text="The job waits: as many jobs of its block run as may at a time ({max_concurrent}).",
):
    """The worker has claimed this job and keeps it until another job of its block ends. The job fails (`expired`) if
    that takes too long.

    The worker does not ask for jobs of a block that is full. Such a job came with a poll that was answered late, or
    a reload has lowered the limit.
    """

    job: str
    block: str
    max_concurrent: int


class JobEnded(
    Event, level=INFO, text="The job ended: {outcome} ({cause}) after {seconds:.2f} s. {explanation}"
):
    """A job is over. The event is a warning if the job failed. For each `cause` see "When something is wrong".

    `explanation` is the message of a failed result. `exit_code` or `signal` says how the job's process ended, and
    `where` (file, line and function) what the block's code was doing when it was killed or crashed. `peak_processes`
    are the most processes and threads that were seen at once; a job of less than a second may be over before they are
    counted.
    """

    job: str
    block: str
    slot: int
    pid: int | None
    outcome: str
    cause: str
    seconds: float
    limit_seconds: float
    cpu_seconds: float | None
    peak_memory_mb: float | None
    peak_processes: int | None
    exit_code: int | None
    signal: str | None
    where: str | None
    explanation: str


class JobNotRun(Event, level=ERROR, text="The job is not run ({cause}): {explanation}"):
    """A job was reported as failed without being started. It has used nothing."""

    job: str
    block: str | None
    outcome: str
    cause: str
    explanation: str


class JobCancelled(Event, level=WARNING, text="{by} cancels the job."):
    """An operator does not want this job to go on.

    `job_ended` or `job_not_run` says how the job ended: a job that ended by itself meanwhile has its own result.
    """

    job: str
    by: str


class JobWarning(Event, level=WARNING, text="{warning}."):
    """A job has its result, and something about it needs a person's attention."""

    job: str
    block: str
    warning: str


class JobMetBug(Event, level=CRITICAL, text="This worker has a bug, and ended the job because of it."):
    """The job is reported with the cause `worker_error`. Please report the traceback."""

    job: str
    block: str
    outcome: str
    cause: str
    seconds: float


class JobStuck(
    Event,
    level=CRITICAL,
    text="A process of this job can't be killed: it is stuck in the kernel. The worker sets its slot aside until the "
    "process is gone. {slots_left} slot(s) are left.",
):
    """Look for a dead disk or network file system (`ps` shows the state D), or restart the machine."""

    job: str
    block: str
    slots_left: int


class JobUnstuck(
    Event,
    level=WARNING,
    text="Nothing is left of this job any more. Its slot is used again. The worker has {slots} slot(s).",
):
    """`job_stuck` is over, or the worker could search after all (`leftovers_not_searched`)."""

    job: str
    block: str
    slots: int


class JobRepeated(Event, level=WARNING, text="The engine sent this job twice. The worker runs it once."):
    """The engine gave this worker a job that the worker already has."""

    job: str


class JobWithoutId(
    Event, level=ERROR, text="The engine sent a job without an id. Nobody can be told. {reason}"
):
    """The job can't be run or reported."""

    reason: str


class JobInterrupted(
    Event,
    level=WARNING,
    text="The last run of this worker ended while this job ran. The job is reported as failed ({cause}).",
):
    """The block may have done a part of its work."""

    job: str
    block: str
    outcome: str
    cause: str


class BlockQuarantined(Event, level=CRITICAL, text="{explanation}"):
    """A block has killed its process three times with the same parameters, and is refused for an hour with them."""

    block: str
    explanation: str


class JobOutput(Event, level=INFO, text="{line}"):
    """A line that a job printed. `stream` is `stdout` or `stderr`."""

    job: str
    block: str
    step: str | None
    stream: str
    line: str


class JobLinesDropped(
    Event,
    level=WARNING,
    text="{lines} lines of this job were dropped. It logs more than {lines_a_second} a second.",
):
    """A job logs faster than the worker passes on."""

    job: str
    block: str
    step: str | None
    lines: int
    lines_a_second: int


class LoopStalled(
    Event,
    level=WARNING,
    text="The event loop of this job has not run for {seconds:.1f} s: something in it blocks. The job goes on, but "
    "can't be cancelled meanwhile. Await what takes long (asyncio.to_thread for blocking calls), or raise "
    "--stall-seconds.\n{stack}",
):
    """The job's event loop stands still for longer than `--stall-seconds`. `stack` says where."""

    job: str
    block: str
    step: str | None
    seconds: float
    stack: str


class LoopResumed(Event, level=WARNING, text="The event loop of this job runs again after {seconds:.1f} s."):
    """A stall is over."""

    job: str
    block: str
    step: str | None
    seconds: float


class LoopBlocked(Event, level=WARNING, text="{explanation}"):
    """Code of a job kept its event loop from running for longer than `--blocking-seconds`. The log says it once for
    each line of code."""

    job: str
    block: str
    step: str | None
    explanation: str


class BlockingUnwatched(
    Event,
    level=WARNING,
    text="The worker can't see whether C code of this job holds the GIL: {reason}. It tries again every second.",
):
    """Code that blocks may go unreported meanwhile. The limits of the job hold."""

    job: str
    block: str
    step: str | None
    reason: str


class BlockingWatched(
    Event, level=WARNING, text="The worker can see again whether C code of this job holds the GIL."
):
    """`blocking_unwatched` is over."""

    job: str
    block: str
    step: str | None


class ChannelBroken(Event, level=DEBUG, text="The channel of a child broke: {reason}"):
    """The connection to a child ended early. The result of its job says why."""

    pid: int
    reason: str


class LeftoversNotSearched(
    Event,
    level=ERROR,
    text="The worker could not look for processes that a job left behind. It tries again every half second, and sets "
    "the job's slot aside until nothing is left.",
):
    """The traceback names the reason: mostly the limit of open files is too low. `job_unstuck` says that it is over."""

    pid: int
