"""Counts what the worker does, with `prometheus-client`. Imported only if metrics are wanted."""

import platform
import time
from collections.abc import Callable
from importlib import metadata
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from supervisor.job.result import Finished
from supervisor.verdict import Cause, Ending
from supervisor.worker.health import metrics
from supervisor.worker.health.metrics import MOST_BLOCKS, OTHER_BLOCK, Metric
from supervisor.worker.health.snapshot import LOOP_BLOCKED, Snapshot, why_not_live, why_not_ready_now
from supervisor.worker.observer import Observer
from supervisor.worker.readiness import CAUSES

_BYTES_PER_MB: Final = 2**20


class Recorder(Observer):
    """The worker's loop calls it, and another thread reads it. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._clock = clock
        self._registry = CollectorRegistry()
        self.is_block: Callable[[str], bool] = lambda _: False
        """Whether this worker has such a block; other blocks get no label of their own."""
        self._blocks: set[str] = set()
        self._waiting: dict[int, float] = {}
        """For each result that the engine does not have, when it was made."""
        self._answered_at = clock()
        self._make_counters()
        self._make_histograms()
        self._gauges = {each.name: self._gauge(each) for each in metrics.METRICS if each.kind == "gauge"}
        version = metadata.version("neops-supervisor")
        self._gauges[metrics.BUILD_INFO.name].labels(version, platform.python_version()).set(1)

    def _make_counters(self) -> None:
        self._claims = self._counter(metrics.CLAIMS)
        self._results = self._counter(metrics.RESULTS)
        self._kills = self._counter(metrics.KILLS)
        for cause in Cause:  # start at 0: `increase` ignores the first value of a series
            self._kills.labels(cause.value)
        self._job_cpu = self._counter(metrics.JOB_CPU)
        self._retries = self._counter(metrics.RESULT_RETRIES)
        self._polls = self._counter(metrics.POLLS)
        self._poll_failures = self._counter(metrics.POLL_FAILURES)
        self._beats = self._counter(metrics.HEARTBEATS)
        self._beat_failures = self._counter(metrics.HEARTBEAT_FAILURES)

    def _make_histograms(self) -> None:
        self._queue = self._histogram(metrics.QUEUE)
        self._start = self._histogram(metrics.START)
        self._run = self._histogram(metrics.RUN)
        self._report = self._histogram(metrics.REPORT)
        self._memory = self._histogram(metrics.JOB_MEMORY)
        self._late = self._histogram(metrics.HEARTBEAT_LATE)
        self._lag = self._histogram(metrics.LOOP_LAG)

    def claimed(self, jobs: int) -> None:
        """See `Observer`, also for the methods below."""
        self._claims.inc(jobs)

    def queued(self, seconds: float) -> None:
        """Count it."""
        self._queue.observe(seconds)

    def started(self, seconds: float) -> None:
        """Count it."""
        self._start.observe(seconds)

    def ended(self, block_id: str, finished: Finished) -> None:
        """Count it, and what the job has used."""
        verdict, ending = finished.verdict, finished.ending
        block, usage = self._block(block_id), ending.usage
        self._results.labels(block, verdict.status, verdict.cause.value).inc()
        if was_killed(ending):
            self._kills.labels(verdict.cause.value).inc()
        if ending.limits is not None:  # the job was run
            self._run.observe(usage.elapsed_seconds)
        if usage.peak_memory_mb is not None:
            self._memory.observe(usage.peak_memory_mb * _BYTES_PER_MB)
        if usage.cpu_seconds is not None:
            self._job_cpu.labels(block).inc(max(0.0, usage.cpu_seconds))

    def not_run(self, block_id: str | None, cause: str) -> None:
        """Count it."""
        self._results.labels(self._block(block_id), "failed", cause).inc()

    def result_waits(self, number: int) -> None:
        """Remember the time."""
        self._waiting[number] = self._clock()

    def result_settled(self, number: int) -> None:
        """Count how long it took."""
        since = self._waiting.pop(number, None)
        if since is not None:
            self._report.observe(self._clock() - since)

    def result_try_failed(self) -> None:
        """Count it."""
        self._retries.inc()

    def poll_answered(self) -> None:
        """Count it."""
        self._polls.inc()

    def poll_failed(self) -> None:
        """Count it."""
        self._poll_failures.inc()

    def beat_sent(self, late_seconds: float) -> None:
        """Count how late it was."""
        self._late.observe(max(0.0, late_seconds))

    def beat_answered(self) -> None:
        """Count it, and remember the time."""
        self._answered_at = self._clock()
        self._beats.inc()

    def beat_failed(self) -> None:
        """Count it."""
        self._beat_failures.inc()

    def lagged(self, seconds: float) -> None:
        """Count how late the worker's loop was."""
        self._lag.observe(seconds)

    def text(self, snapshot: Snapshot, now: float) -> bytes:
        """Return all metrics in Prometheus' text format. `now` is a time of the snapshot's clock."""
        counts = snapshot.counts
        not_ready = {why.cause for why in why_not_ready_now(snapshot, now)}
        values: dict[Metric, float] = {
            metrics.LIVE: not why_not_live(snapshot, now),
            metrics.READY: not not_ready,
            metrics.LOOP_BLOCKED: snapshot.blocked_seconds(now),
            metrics.HEARTBEAT_AGE: self._clock() - self._answered_at,
            metrics.SLOTS: counts.slots,
            metrics.SLOTS_FREE: max(0, counts.slots - counts.slots_taken),
            metrics.JOBS: counts.jobs,
            metrics.SPARES: counts.spares,
            metrics.RESULTS_WAITING: counts.results_waiting,
            metrics.JOURNAL_CLAIMS: counts.journal_claims,
            metrics.DEAD_LETTERS: counts.dead_letters,
            metrics.JOURNAL_TROUBLE: counts.journal_in_trouble,
        }
        for metric, value in values.items():
            self._gauges[metric.name].set(value)
        for cause in (*CAUSES, LOOP_BLOCKED):
            self._gauges[metrics.NOT_READY.name].labels(cause).set(cause in not_ready)
        return generate_latest(self._registry)

    def _block(self, block_id: str | None) -> str:
        """Return the label for a block. A block that the engine names but this worker does not have gets none."""
        if block_id is None:
            return OTHER_BLOCK
        if block_id not in self._blocks:
            if len(self._blocks) >= MOST_BLOCKS or not self.is_block(block_id):
                return OTHER_BLOCK
            self._blocks.add(block_id)
        return block_id

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.help, metric.labels, registry=self._registry)

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.name, metric.help, metric.labels, registry=self._registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(
            metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=self._registry
        )


def was_killed(ending: Ending) -> bool:
    """Whether the worker ended the job, or the kernel did at the job's limit.

    Not if the block had returned, and only its process was left to end: then the outcome says how the job ended.
    """
    if ending.limit is not None:
        return True
    return ending.outcome is None and (ending.killed or ending.oom_limit_mb is not None)
