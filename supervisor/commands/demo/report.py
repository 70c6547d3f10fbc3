"""What the demo found, and whether it is as expected."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from supervisor.commands.demo.census import Found
from supervisor.commands.demo.engine_view import JobSeen
from supervisor.commands.demo.expectation import DemoJob
from supervisor.commands.demo.lateness import Lateness
from supervisor.commands.demo.scenario import DESCENDANTS
from supervisor.verdict import Cause
from supervisor.watch.stack import innermost

LATE_SECONDS: Final = 1.0
"""A heartbeat that is later than this (beyond the machine's own lateness) counts as missed.

It is far more than on a busy machine, and far less than the seconds for which the demo's blocks hold everything up.
"""


NOT_RUN: Final = "not run"
"""The outcome of a job that this machine can't run: it has no ping, or lacks the package to emulate a device."""


@dataclass(frozen=True, slots=True)
class Row:
    """One job. `problem` says what is not as expected, `remark` what else a reader should know."""

    job: str
    what: str
    outcome: str
    cause: str
    seconds: float | None
    where: str
    problem: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is shown."""

    rows: tuple[Row, ...]
    interval_seconds: float
    heartbeat: Lateness
    beats_due: int
    machine: Lateness
    held_up_beats: int
    """How many beats the worker may have lost because a processor of this machine stood still."""
    processes_seen: int
    descendants_seen: tuple[str, ...]
    left: tuple[Found, ...]
    worker_exit_code: int
    elapsed_seconds: float

    def problems(self) -> list[str]:
        """Return everything that is not as expected, one sentence each."""
        found = [f"{row.job}: {row.problem}." for row in self.rows if row.problem]
        # One beat may be on its way at each end of the period.
        if self.heartbeat.beats < self.beats_due - 2 - self.held_up_beats:
            found.append(
                f"{self.beats_due - self.heartbeat.beats} of {self.beats_due} heartbeats are missing."
            )
        # Each beat that was lost makes those after it late by an interval.
        held_up_seconds = self.machine.worst_seconds + self.held_up_beats * self.interval_seconds
        if self.heartbeat.worst_seconds > LATE_SECONDS + held_up_seconds:
            found.append(f"A heartbeat was {self.heartbeat.worst_seconds:.2f} s late.")
        if missing := [kind for kind in DESCENDANTS if kind not in self.descendants_seen]:
            found.append(f"Descendants that should have run were never seen: {', '.join(missing)}.")
        found += [f"Left over: process {process.pid} ({process.command})." for process in self.left]
        if self.worker_exit_code != 0:
            found.append(f"The worker ended with exit code {self.worker_exit_code} after SIGTERM.")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, with `problems`, `not_run` and `as_expected`."""
        problems = self.problems()
        return {
            **asdict(self),
            "problems": problems,
            "not_run": self.not_run(),
            "as_expected": not problems,
        }

    def not_run(self) -> list[str]:
        """Return the names of the jobs that this machine can't run. Each has a remark that says why."""
        return [row.job for row in self.rows if row.outcome == NOT_RUN]


def judge(job: DemoJob, seen: JobSeen | None, cause: Cause | None) -> Row:
    """Compare a job's result with the expected one."""
    if seen is None:
        return Row(job.name, job.what, "missing", "", None, "", problem="the engine got no result for it")
    where = _where(seen.result.message)
    if _has_ended_otherwise(job, seen, cause) and (excuse := job.excuse(seen.result)):
        return skip(job, excuse)
    problem = _compare(job, seen, cause, where)
    return Row(
        job=job.name,
        what=job.what,
        outcome="success" if seen.result.success else "failed",
        cause=cause.value if cause else "",
        seconds=seen.seconds,
        where=where,
        problem=problem,
    )


def skip(job: DemoJob, reason: str) -> Row:
    """Return the row of a job that this machine can't run."""
    return Row(job.name, job.what, NOT_RUN, "", None, "", remark=reason)


def _has_ended_otherwise(job: DemoJob, seen: JobSeen, cause: Cause | None) -> bool:
    return seen.result.success is not (job.cause is Cause.COMPLETED) or cause is not job.cause


def _compare(job: DemoJob, seen: JobSeen, cause: Cause | None, where: str) -> str:
    """Return what is not as expected; an empty text if all is."""
    if _has_ended_otherwise(job, seen, cause):
        told = _first_line(seen.result.message)
        return f"expected {job.cause}, but it ended with {cause or 'no cause in the log'}: {told}"
    if job.stops_in and not where.startswith(f"{job.stops_in}:"):
        return f"it must have been in {job.stops_in} when it ended, not in {where or 'an unknown place'}"
    return job.complaint(seen.result)


def _where(message: str) -> str:
    _, _, stack = message.partition("\nWhere it was:\n")
    return innermost(stack.partition("\nLast output:\n")[0]) or ""


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")
