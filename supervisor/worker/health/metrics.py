"""Every metric of `/metrics`, as data: for the counting code, and for the reference. It imports no counting code."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]

_MOMENTS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_RUNS: Final = (0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_LATE: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_MIB: Final = 2**20
_SIZES: Final = tuple(
    float(size * _MIB) for size in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
)

OTHER_BLOCK: Final = "other"
"""The label for blocks that this worker does not have: the engine may name any number of them."""

MOST_BLOCKS: Final = 500
"""So many blocks have their own label, over all reloads; further ones are `OTHER_BLOCK`."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `help` is for people; units are in the names."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


BUILD_INFO: Final = Metric(
    "neops_worker_build_info", "gauge", "Always 1. The labels say what runs.", ("version", "python")
)
LIVE: Final = Metric("neops_worker_live", "gauge", "1 while `/live` answers 200.")
READY: Final = Metric("neops_worker_ready", "gauge", "1 while the worker asks for jobs.")
NOT_READY: Final = Metric(
    "neops_worker_not_ready", "gauge", "1 for each cause for which the worker asks for no jobs.", ("cause",)
)
LOOP_BLOCKED: Final = Metric(
    "neops_worker_loop_blocked_seconds", "gauge", "For how long the worker's event loop has not run by now."
)
LOOP_LAG: Final = Metric(
    "neops_worker_loop_lag_seconds",
    "histogram",
    "How late the worker's event loop was, once a second.",
    buckets=_LATE,
)
CLAIMS: Final = Metric("neops_worker_claims_total", "counter", "Jobs that the engine gave to this worker.")
RESULTS: Final = Metric(
    "neops_worker_results_total",
    "counter",
    "Jobs that are over, by block, outcome (`success` or `failed`) and cause, also those that were not run.",
    ("block", "outcome", "cause"),
)
KILLS: Final = Metric(
    "neops_worker_kills_total",
    "counter",
    "Jobs that the worker, or the kernel at a limit, has ended before their blocks returned.",
    ("cause",),
)
SLOTS: Final = Metric("neops_worker_slots", "gauge", "Slots, but for those that are set aside.")
JOBS: Final = Metric("neops_worker_jobs", "gauge", "Jobs that run or wait here for a slot.")
SLOTS_FREE: Final = Metric("neops_worker_slots_free", "gauge", "Slots that no job has.")
SPARES: Final = Metric("neops_worker_spares", "gauge", "Children that are ready and wait for a job.")
QUEUE: Final = Metric(
    "neops_worker_queue_seconds",
    "histogram",
    "From a job's claim to its slot: the wait in this worker.",
    buckets=_MOMENTS,
)
START: Final = Metric(
    "neops_worker_start_seconds", "histogram", "From a job's slot to its child.", buckets=_MOMENTS
)
RUN: Final = Metric(
    "neops_worker_run_seconds", "histogram", "How long jobs ran, from the order to the end.", buckets=_RUNS
)
REPORT: Final = Metric(
    "neops_worker_report_seconds",
    "histogram",
    "From a job's result on the disk to the engine's having it, or refusing it for good.",
    buckets=_MOMENTS,
)
JOB_MEMORY: Final = Metric(
    "neops_worker_job_memory_bytes", "histogram", "The most memory that each job has used.", buckets=_SIZES
)
JOB_CPU: Final = Metric(
    "neops_worker_job_cpu_seconds_total", "counter", "Processor time that jobs have used.", ("block",)
)
RESULTS_WAITING: Final = Metric(
    "neops_worker_results_waiting", "gauge", "Results that the engine does not have yet."
)
RESULT_RETRIES: Final = Metric(
    "neops_worker_result_retries_total", "counter", "Tries to deliver a result that failed and are repeated."
)
JOURNAL_CLAIMS: Final = Metric(
    "neops_worker_journal_claims",
    "gauge",
    "Claims in the journal: open ones, dead letters, and those that are set aside.",
)
DEAD_LETTERS: Final = Metric(
    "neops_worker_dead_letters",
    "gauge",
    "Dead letters: results that are not sent any more, and wait for a person (`supervisor journal`).",
)
JOURNAL_TROUBLE: Final = Metric(
    "neops_worker_journal_in_trouble", "gauge", "1 while the disk does not take what the journal has to keep."
)
POLLS: Final = Metric(
    "neops_worker_polls_total", "counter", "Requests for jobs that the engine has answered."
)
POLL_FAILURES: Final = Metric("neops_worker_poll_failures_total", "counter", "Requests for jobs that failed.")
HEARTBEATS: Final = Metric("neops_worker_heartbeats_total", "counter", "Beats that the engine has answered.")
HEARTBEAT_FAILURES: Final = Metric(
    "neops_worker_heartbeat_failures_total", "counter", "Beats that the engine has not answered."
)
HEARTBEAT_LATE: Final = Metric(
    "neops_worker_heartbeat_late_seconds",
    "histogram",
    "How long after its time each beat went out.",
    buckets=_LATE,
)
HEARTBEAT_AGE: Final = Metric(
    "neops_worker_heartbeat_age_seconds", "gauge", "For how long the engine has answered no beat."
)

METRICS: Final[tuple[Metric, ...]] = (
    BUILD_INFO,
    LIVE,
    READY,
    NOT_READY,
    CLAIMS,
    RESULTS,
    KILLS,
    SLOTS,
    SLOTS_FREE,
    JOBS,
    SPARES,
    QUEUE,
    START,
    RUN,
    REPORT,
    JOB_MEMORY,
    JOB_CPU,
    RESULTS_WAITING,
    RESULT_RETRIES,
    JOURNAL_CLAIMS,
    DEAD_LETTERS,
    JOURNAL_TROUBLE,
    POLLS,
    POLL_FAILURES,
    HEARTBEATS,
    HEARTBEAT_FAILURES,
    HEARTBEAT_LATE,
    HEARTBEAT_AGE,
    LOOP_BLOCKED,
    LOOP_LAG,
)
"""In the order of the reference."""
