"""Events of the worker itself: start, registration, polls, reloads, end."""

from logging import CRITICAL, ERROR, INFO, WARNING

from supervisor.log.event import Event


class WorkerReady(
    Event, level=INFO, text="The worker is ready: {blocks} block(s), {slots} slot(s), worker {worker}."
):
    """The worker is registered and asks for jobs."""

    blocks: int
    slots: int
    worker: str


class WorkerStopped(Event, level=INFO, text="The worker has stopped."):
    """The last event of a worker that stopped as asked."""


class StartRefused(Event, level=CRITICAL, text="{reason}"):
    """The worker could not start, or could not go on. It exits with 1; or with 2, if no later try can succeed
    before somebody changes something: then systemd does not start it again."""

    reason: str


class StopSignalled(Event, level=WARNING, text="{signal}. {consequence}"):
    """Somebody asked the worker to stop. A second signal kills running jobs, a third ends the worker at once."""

    signal: str
    consequence: str


class ResultsLeft(Event, level=WARNING, text="{results} result(s) stay in the journal until the next start."):
    """The engine did not take all results before the worker stopped. The worker does not unregister, because the engine
    would fail these jobs. Start it again within six minutes.
    """

    results: int


class SettingIgnored(Event, level=WARNING, text="{problem}"):
    """A variable of the environment looks like a setting and is not one, or another place overrides it."""

    problem: str


class TaskFailed(
    Event, level=CRITICAL, text="The {task} failed because of a bug in this worker. {consequence}"
):
    """Please report the traceback. `consequence` says how the worker goes on."""

    task: str
    consequence: str


class ProgressLost(
    Event,
    level=CRITICAL,
    text="The worker makes no progress because of a bug in it: {parts}. systemd's watchdog, where there is one, "
    "starts it again.",
):
    """Each part of the worker says until when it waits at most. One part has not gone on by then. It does not wait for
    the engine. Please report this, with the log before it."""

    parts: str


class WorkerStalled(
    Event,
    level=WARNING,
    text="The worker did not run for {seconds:.0f} s: it was stopped, or the machine was, or it got no processor, "
    "or one call held it up. It goes on now.",
):
    """No part of the worker could run in this time, not even the heartbeat. Look for a SIGSTOP, a virtual machine that
    was suspended or moved, or a machine whose processors are all busy. The log says it from 5 s on."""

    seconds: float


class ProgressMade(Event, level=WARNING, text="The worker makes progress again."):
    """The late part went on before the watchdog ended the worker."""


class ReloadStarted(Event, level=INFO, text="{asked}. The worker reads the blocks and the settings again."):
    """Somebody asked for a reload: by SIGHUP, or over the control socket."""

    asked: str


class ReloadIgnored(Event, level=WARNING, text="SIGHUP. The worker does not reload, because it is stopping."):
    """Start the worker again to use the new code."""


class Reloaded(
    Event,
    level=INFO,
    text="The worker is reloaded: {blocks} block(s). Running jobs finish with the old code.",
):
    """New jobs run the new code under the new settings."""

    blocks: int


class ReloadRefused(Event, level=ERROR, text="Not reloaded, everything stays as it was: {reason}"):
    """The worker can't use the new code or settings. Correct them, then send SIGHUP again."""

    reason: str
    retryable: bool


class RestartNeeded(Event, level=WARNING, text="Changed, but in force only after a restart: {settings}."):
    """A reload does not change these settings."""

    settings: str


class Registered(Event, level=INFO, text="Registered as worker {worker}."):
    """The engine has made a new worker for this one."""

    worker: str


class RegistrationKept(Event, level=INFO, text="Back as worker {worker}."):
    """The engine still knows this worker from its last run, or a proxy has answered 404 in the engine's place for a
    while."""

    worker: str


class RegistrationFailing(
    Event,
    level=WARNING,
    text="{reason} The worker tries again in {pause_seconds:.1f} s, for {left_seconds:.0f} s more.",
):
    """The engine does not answer at the start. After `--startup-retry-seconds` the worker gives up."""

    reason: str
    pause_seconds: float
    left_seconds: float


class RenewalFailing(
    Event,
    level=WARNING,
    text="Registering again failed: {reason} The worker tries again in {pause_seconds:.1f} s.",
):
    """The engine forgot this worker, and does not take it back yet."""

    reason: str
    pause_seconds: float


class WorkerExpired(
    Event,
    level=ERROR,
    text="The engine does not know this worker ({worker}) any more. The worker registers again.",
):
    """The engine deleted this worker, or lost its data. Running jobs go on."""

    worker: str


class UnregistrationFailed(
    Event, level=WARNING, text="The engine was not told that this worker stops: {reason}"
):
    """The engine notices it by the missing heartbeat."""

    reason: str


class ClientDeprecated(
    Event, level=WARNING, text="The engine ({engine_version}) calls this worker's client deprecated."
):
    """Update this worker soon."""

    engine_version: str


class CompatibilityUnknown(
    Event,
    level=WARNING,
    text="The engine did not say whether this worker fits it: {reason} The worker goes on.",
):
    """An older engine can't say it."""

    reason: str


class HeartbeatFailing(Event, level=WARNING, text="The heartbeat does not reach the engine: {reason}"):
    """Without a heartbeat the engine gives up this worker's jobs after some minutes."""

    reason: str


class HeartbeatRestored(Event, level=INFO, text="The heartbeat reaches the engine again."):
    """`heartbeat_failing` is over."""


class PollsFailing(Event, level=WARNING, text="The worker can't ask for jobs: {reason} It keeps trying."):
    """The engine does not answer, or refuses. The worker claims no new jobs meanwhile."""

    reason: str


class PollsNotAllowed(
    Event, level=ERROR, text="The worker may not ask for jobs: {reason} {advice} The worker keeps asking."
):
    """Correct the access. The worker reads the token file again, and needs no restart for that."""

    reason: str
    advice: str


class PollsRestored(Event, level=INFO, text="The worker can ask for jobs again."):
    """`polls_failing` is over."""


class PollTooLarge(
    Event, level=WARNING, text="The engine sent {jobs} jobs for {slots} free slots. The others wait."
):
    """The engine ignored the limit of a poll."""

    jobs: int
    slots: int


class PollTruncated(
    Event, level=WARNING, text="The engine's answer to a poll broke off after {jobs} job(s)."
):
    """The worker asks the engine which jobs were lost, and reports them."""

    jobs: int


class ClaimsLost(
    Event,
    level=WARNING,
    text="The engine gave {jobs} job(s) to this worker that never arrived. They are reported as failed.",
):
    """The answer to a poll was lost. The cause of these jobs is `claim_lost`."""

    jobs: int


class ClaimsUnknown(
    Event,
    level=WARNING,
    text="The worker can't find out whether the engine has given it jobs that never arrived: {reason} {advice} "
    "The engine fails such jobs itself after some minutes.",
):
    """A poll broke off, or the worker was started again. If the engine wants a token for this question, give the worker
    one that may read jobs (`--engine-token-file`). If the engine fails to list this worker's jobs, look into the
    engine's log: a drain waits for this list, at most `--engine-job-timeout-seconds`."""

    reason: str
    advice: str
