"""Events of an operator's control of the worker: paused, resumed, drained."""

from logging import INFO, WARNING

from supervisor.log.event import Event


class WorkerPaused(
    Event,
    level=WARNING,
    text="{by} pauses the worker {how_long}. It asks for no jobs; those that it has go on. {note}",
):
    """Heartbeat and deliveries go on as well. A stop of the worker ends the pause, a crash does not (`intake_kept`)."""

    by: str
    how_long: str
    note: str
    for_seconds: float | None


class WorkerResumed(Event, level=INFO, text="{reason} The worker asks for jobs again."):
    """A pause or a drain is over. `by` is missing if a pause ended by itself."""

    reason: str
    by: str | None


class DrainStarted(
    Event,
    level=WARNING,
    text="{by} drains the worker. It asks for no jobs. {left} {note}",
):
    """The worker finishes its jobs, delivers their results, and then idles, or ends (with `--exit`)."""

    by: str
    left: str
    jobs: int
    note: str


class IntakeKept(
    Event,
    level=WARNING,
    text="The worker before this one was not stopped, but ended while it asked for no jobs. This one asks for none "
    "either: it is {reason}",
):
    """A pause or a drain (`mode`) that nobody has ended goes on. `supervisor resume` ends it."""

    reason: str
    by: str
    mode: str


class WorkerDrained(
    Event, level=INFO, text="The worker is drained: no job is here, and the engine has every result. {then}"
):
    """Now it can be stopped, restarted or upgraded, and no job notices."""

    then: str
