"""Events of results: how they get to the engine, and the journal that keeps them."""

from logging import CRITICAL, ERROR, INFO, WARNING

from supervisor.log.event import Event


class ResultsWaiting(Event, level=WARNING, text="Results wait for the engine: {reason}"):
    """The engine does not take results now. They stay in the journal, and the worker keeps sending them."""

    reason: str


class ResultsMoving(Event, level=INFO, text="The engine takes results again."):
    """`results_waiting` is over."""


class ResultArrivedBefore(
    Event,
    level=INFO,
    text="The engine had this result already: an earlier try arrived, and only its answer was lost.",
):
    """You need not do anything."""

    job: str


class ResultTooLate(
    Event, level=WARNING, text="The engine had given this job up already. It keeps its own result."
):
    """The job ran to its end, but the engine did not wait for it."""

    job: str


class ResultRefused(
    Event,
    level=ERROR,
    text="The engine refuses this job's result for good: {reason} The worker sends a failed result that says so in its "
    "place, and keeps the refused one as dead letter {dead_letter}: `supervisor journal show {dead_letter}` shows it.",
):
    """Find out why the engine refuses it. Remove the reason, then run the job again."""

    job: str
    reason: str
    dead_letter: int


class RefusedAgain(
    Event,
    level=ERROR,
    text="The engine refuses this result again: {reason} The journal keeps it as dead letter {dead_letter}.",
):
    """Somebody had a dead letter sent again. The worker sends nothing in its place: it did so at the first refusal."""

    job: str
    reason: str
    dead_letter: int


class FailedResultRefused(
    Event,
    level=ERROR,
    text="The engine refuses also the failed result that was sent in the place of a refused one: {reason} This job has "
    "no result until the engine gives it up. The journal keeps it as dead letter {dead_letter}. "
    "`supervisor journal retry {dead_letter}` sends it again.",
):
    """Look at what stands between worker and engine: it refuses everything. Then send the dead letter again."""

    job: str
    reason: str
    dead_letter: int


class DeadLetterNotTaken(
    Event,
    level=WARNING,
    text="The engine has a result of this job already, the failed one that was sent in the place of dead letter "
    "{dead_letter}, and keeps that (409). The journal keeps the dead letter.",
):
    """To have the result in the engine, run the job again. `supervisor journal drop` removes the dead letter."""

    job: str
    dead_letter: int


class ResultsNotAllowed(
    Event,
    level=ERROR,
    text="The worker may not send its results: {reason} {advice} "
    "They stay in the journal, and the worker keeps sending them.",
):
    """Correct the access. The worker reads the token file again, and needs no restart for that."""

    reason: str
    advice: str


class PollsHeldBack(
    Event,
    level=ERROR,
    text="The engine hands out jobs, and does not take their results: {results} of them wait ({megabytes} MiB). "
    "The worker asks for no more jobs until half of them are delivered.",
):
    """See why the engine takes no results: the event `results_waiting` has its answer."""

    results: int
    megabytes: int


class PollsLetGo(Event, level=INFO, text="The worker asks for jobs again: {results} result(s) still wait."):
    """`polls_held_back` is over."""

    results: int


class DeadLetterDropped(Event, level=WARNING, text="Somebody dropped the dead letter {dead_letter}."):
    """`supervisor journal drop` was used."""

    job: str
    dead_letter: int


class DeadLetterLost(
    Event,
    level=ERROR,
    text="Dead letter {dead_letter} is gone: its result was in the journal's file only, and the file that is in use "
    "now does not hold it. Somebody dropped it, or the file was lost, damaged or replaced.",
):
    """The engine has a failed result of the job. In memory, the worker keeps the results of dead letters only up to
    16 MiB in all. If the file was damaged, `journal_replaced` says where it is now."""

    job: str
    dead_letter: int


class DeadLetterRetried(
    Event, level=WARNING, text="The worker sends the dead letter {dead_letter} again, as asked."
):
    """`supervisor journal retry` was used."""

    job: str
    dead_letter: int


class ResultSuperseded(
    Event,
    level=WARNING,
    text="The worker does not send dead letter {dead_letter}, as the engine has handed this job out again since: it "
    "would take it for the result of the new try (claim {claim}). The journal keeps the dead letter.",
):
    """You need not do anything for the job: the new try has a result of its own. `supervisor journal drop` removes the
    dead letter."""

    job: str
    dead_letter: int
    claim: int


class ResultDamaged(
    Event, level=ERROR, text="The journal's result of claim {claim} is damaged. It is kept as a dead letter."
):
    """The worker can't send the result. `supervisor journal show` shows its job."""

    claim: int


class JournalFailing(
    Event,
    level=ERROR,
    text="The journal {path} can't be written: {reason}. Jobs go on. Their results are kept in memory and delivered "
    "from there, but are lost if this worker ends now. The worker tries again every {pause_seconds:g} s.",
):
    """Look at the disk of the state directory: full, read-only, hanging or gone."""

    path: str
    reason: str
    pause_seconds: float


class JournalRestored(
    Event, level=WARNING, text="The journal {path} is complete again: everything open is on the disk."
):
    """`journal_failing` is over. The log says it at once. If the trouble comes back within a minute, the log says it
    only after a minute without trouble."""

    path: str


class JournalSlow(
    Event,
    level=WARNING,
    text="The disk of the journal {path} is slow: each of the last {writes} writes took {least_seconds:.2f} s or more. "
    "Each job waits for one write before it starts, and for one before its result is sent.",
):
    """Nothing is lost or wrong, but each job takes longer. Put the state directory (`--state-dir`) on a faster disk, or
    give the worker more slots: jobs that run at the same time share writes."""

    path: str
    writes: int
    least_seconds: float


class JournalFast(Event, level=INFO, text="The disk of the journal {path} has been fast again for a minute."):
    """`journal_slow` is over."""

    path: str


class JournalReplaced(
    Event,
    level=ERROR,
    text="The journal {path} was damaged. The worker moved it to {moved_to} and began a new one. All that this run "
    "knows is written to it{salvaged}. Results of an earlier run that could not be read are in the old file only: "
    "`supervisor journal list --file {moved_to}` shows what can be read. Remove it when you don't need it any more. "
    "It may hold what devices said.",
):
    """The disk or its file system may be failing."""

    path: str
    moved_to: str
    salvaged: str


class AcceptedResultDropped(
    Event,
    level=INFO,
    text="An earlier run was done with this job, and could not remove it from the journal (claim {claim}). The worker "
    "removes it now, and sends nothing.",
):
    """The engine has the result, or has handed out the job again since. The earlier run had trouble with its disk: its
    log has `journal_failing`. You need not do anything."""

    job: str
    claim: int


class AcceptedResultsUnusable(
    Event,
    level=WARNING,
    text="The file {path} can't be used: {reason}. If an earlier run was killed while its disk took nothing, a result "
    "that the engine has may be sent once more.",
):
    """The worker makes a new file, unless it could not read the old one: then check the disk and the kernel's log."""

    path: str
    reason: str


class JournalRewritten(
    Event,
    level=ERROR,
    text="Somebody removed open claims from the journal. The worker writes them to it again.",
):
    """Use `supervisor journal` to change the journal, not SQL."""

    claims: int


class JournalMetBug(
    Event, level=CRITICAL, text="The journal can't store something because of a bug in this worker."
):
    """Please report the traceback."""


class ResultsLost(
    Event, level=CRITICAL, text="{results} result(s) could not be written to {path} and are lost."
):
    """The worker ended while its disk took nothing."""

    results: int
    path: str
