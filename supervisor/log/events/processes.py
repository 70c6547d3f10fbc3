"""Events of processes: the template, spares, cgroups, job users, and watching them."""

from logging import CRITICAL, ERROR, INFO, WARNING

from supervisor.log.event import Event


class TemplateEnded(
    Event,
    level=ERROR,
    text="The template ended ({status}). Running jobs go on. The worker starts a new template.",
):
    """The process that has imported the blocks died. Code of a block killed it during the import, or somebody did."""

    status: str


class TemplateReplaced(
    Event,
    level=ERROR,
    text="The template does not answer. {reason} The worker ends it and starts a new one. Running jobs go on.",
):
    """The process that has imported the blocks starts no more children. Perhaps a module of blocks hangs when a process
    is forked (`os.register_at_fork`), or somebody has stopped the process."""

    pid: int
    reason: str


class SessionHolderReplaced(
    Event,
    level=WARNING,
    text="A process that forks children for one job after the other is replaced. {reason} Running jobs go on.",
):
    """Somebody, perhaps a job, has killed or stopped it. Or a job has changed the priority of its whole session."""

    pid: int
    reason: str


class TemplateReady(Event, level=INFO, text="A new template is ready."):
    """`template_ended` or `template_replaced` is over."""

    pid: int | None


class TemplateMissing(
    Event, level=ERROR, text="There is no new template, so no job can start: {reason} The worker tries again."
):
    """The reason says what the machine lacks, or which module fails."""

    reason: str


class ChildrenFailing(Event, level=WARNING, text="{reason} The worker tries again. {evidence}"):
    """A child can't be started. Jobs wait for ten seconds, then fail with the cause `start_failed`."""

    reason: str
    evidence: str


class ChildrenRestored(Event, level=INFO, text="The worker can start children again."):
    """`children_failing` is over."""


class PollingPaused(
    Event,
    level=ERROR,
    text="The worker can't start a process for a job, and asks for no jobs until it can. {reason}",
):
    """Starts of children fail or hang. The worker keeps trying. After ten seconds it reports the jobs that it has
    claimed as failed, with the cause `start_failed`. A worker that has just started is not ready until this is over."""

    reason: str


class PollingResumed(Event, level=INFO, text="The worker can start processes for jobs, and asks for jobs."):
    """`polling_paused` is over."""


class SpareDied(Event, level=WARNING, text="A spare child ended with {status} while it waited for a job."):
    """Somebody, or the kernel's out-of-memory killer, has killed it. The worker starts another."""

    pid: int
    status: str


class StrayKilled(
    Event,
    level=WARNING,
    text="The process {pid} ({process}) was below this worker and belongs to no job. It was killed.",
):
    """The import of a module has started it, or a job has hidden it. The worker blames no job for it."""

    pid: int
    process: str


class StrayStuck(
    Event,
    level=ERROR,
    text="The process {pid} ({process}) was below this worker and belongs to no job. It can't be killed: it is stuck "
    "in the kernel. The worker goes on with all of its slots.",
):
    """Look for a dead disk or network file system (`ps` shows the state D), or for a debugger."""

    pid: int
    process: str


class JobUserWaiting(
    Event,
    level=WARNING,
    text="The worker can't clean up after the job user {user} yet: {reason}. It tries again.",
):
    """The machine lacks processes, memory or descriptors."""

    user: int
    reason: str


class JobUserLost(Event, level=CRITICAL, text="The worker sets the job user {user} aside: {reason}"):
    """No job gets this user until nothing of it is left. The worker tries again, at most a minute later."""

    user: int
    reason: str


class JobUserRestored(
    Event,
    level=WARNING,
    text="Nothing is left of the job user {user}: it is used again, after {seconds:.1f} s.",
):
    """`job_user_lost` is over."""

    user: int
    seconds: float


class SharedDirectoriesUnsearched(
    Event,
    level=WARNING,
    text="There are too many directories to find all that every user may write to. What a job leaves in one that was "
    "not found, the next job of the same user owns.",
):
    """`supervisor doctor` lists those that were found."""


class CgroupsFound(Event, level=INFO, text="Cgroups for each job: {cgroups}. {consequence}"):
    """Which cgroups the worker uses. `none` is fine: the worker then samples memory and searches processes itself."""

    cgroups: str
    consequence: str


class CgroupsFailed(
    Event, level=WARNING, text="The worker uses no cgroups because of an error: {reason}. {consequence}"
):
    """Limits hold all the same: memory is sampled, and processes are searched."""

    reason: str
    consequence: str


class CgroupFailed(Event, level=WARNING, text="{reason} Such jobs run without a cgroup."):
    """Said once as a warning, then at debug level."""

    reason: str


class CgroupStuck(
    Event,
    level=WARNING,
    text="The cgroup {path} can't be removed: a process in it can't be killed. The next start tries again.",
):
    """Look for a dead disk or network file system (`ps` shows the state D)."""

    path: str


class CgroupsUnrecorded(
    Event,
    level=WARNING,
    text="If this worker is killed, you may have to remove its cgroups by hand: {reason}.",
):
    """The worker could not write down which cgroups are its own."""

    reason: str


class LeftoversCleared(
    Event,
    level=WARNING,
    text="An earlier run of this worker was killed. The worker cleared what it left: {processes} process(es) and "
    "{cgroups} cgroup(s).",
):
    """`stuck` counts what the worker could neither end nor remove. The next start tries again."""

    processes: int
    cgroups: int
    stuck: int


class WatchFailing(
    Event, level=ERROR, text="{consequence} The worker tries again every second. The reason: {reason}."
):
    """The worker can't see what jobs use. A result says so where a limit was not watched."""

    watch: str
    consequence: str
    reason: str


class WatchRestored(Event, level=WARNING, text="{consequence} It could not for {seconds:.1f} s."):
    """`watch_failing` is over."""

    watch: str
    consequence: str
    seconds: float
