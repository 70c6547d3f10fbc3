"""What is counted: as the table says, with labels that the engine can't multiply."""

from typing import Any

import pytest

from supervisor.job.result import Finished, not_run
from supervisor.verdict import Cause, Ending, ExitStatus, OutcomeSeen, OutOfMemory, Usage, Verdict, refusals
from supervisor.verdict.limits import LimitHit, LimitKind, Limits
from supervisor.worker.health.metrics import METRICS, MOST_BLOCKS
from supervisor.worker.health.snapshot import Counts, Snapshot
from supervisor.worker.readiness import CAUSES, Reason

pytest.importorskip("prometheus_client", reason="the extra `metrics` is not installed")

from prometheus_client.parser import text_string_to_metric_families

from supervisor.worker.health.recorder import Recorder

BLOCK = "acme/block:1.0.0"
RETURNED = OutcomeSeen(success=True, message="All good")
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def recorder(clock: Clock | None = None) -> Recorder:
    made = Recorder(clock or Clock())
    made.is_block = lambda block_id: block_id == BLOCK
    return made


def samples(recorder: Recorder, snapshot: Snapshot | None = None, now: float = 100.0) -> Samples:
    text = recorder.text(snapshot or Snapshot(100.0, ()), now).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"neops_worker_{name}", tuple(sorted(labels.items()))]


def kills(found: Samples) -> dict[str, float]:
    """Return those that were counted, by cause."""
    return {
        dict(labels)["cause"]: count
        for (name, labels), count in found.items()
        if name == "neops_worker_kills_total" and count
    }


def finished(cause: Cause, *, success: bool = False, **ending: Any) -> Finished:
    usage = Usage(2.0, peak_memory_mb=100.0, cpu_seconds=0.5)
    verdict = Verdict(success=success, cause=cause, message="")
    return Finished(verdict, Ending(usage, limits=Limits(max_seconds=10.0, grace_seconds=1.0), **ending))


def test_what_is_served_is_what_the_table_says() -> None:
    counting = recorder()
    counting.ended(BLOCK, finished(Cause.TIME_LIMIT, killed=True))
    families = {
        (family.name, family.type)
        for family in text_string_to_metric_families(counting.text(Snapshot(100.0, ()), 100.0).decode())
    }
    assert families == {(metric.name.removesuffix("_total"), metric.kind) for metric in METRICS}


def test_a_job_counts_as_a_result_with_what_it_took() -> None:
    counting = recorder()
    counting.claimed(3)
    counting.queued(0.2)
    counting.started(0.02)
    counting.ended(BLOCK, finished(Cause.COMPLETED, success=True))
    found = samples(counting)
    assert value(found, "claims_total") == 3
    assert value(found, "results_total", block=BLOCK, outcome="success", cause="completed") == 1
    assert value(found, "queue_seconds_sum") == pytest.approx(0.2)
    assert value(found, "start_seconds_bucket", le="0.025") == 1
    assert value(found, "run_seconds_sum") == 2.0
    assert value(found, "job_memory_bytes_sum") == 100.0 * 2**20
    assert value(found, "job_cpu_seconds_total", block=BLOCK) == 0.5
    assert kills(found) == {}


@pytest.mark.parametrize(
    ("cause", "ending"),
    [
        (Cause.TIME_LIMIT, {"limit": LimitHit(LimitKind.TIME, 1.0), "killed": False}),
        (
            Cause.MEMORY_LIMIT,
            {"exit_status": ExitStatus(signal_name="SIGKILL"), "out_of_memory": OutOfMemory(1, 64.0)},
        ),
        (Cause.STALLED, {"killed": True}),
        # What a block returns while it is ended is not how the job ended.
        (Cause.CPU_LIMIT, {"limit": LimitHit(LimitKind.CPU, 2.0), "outcome": RETURNED, "killed": True}),
    ],
)
def test_a_job_that_was_ended_at_a_limit_counts_as_a_kill(cause: Cause, ending: dict[str, Any]) -> None:
    counting = recorder()
    counting.ended(BLOCK, finished(cause, **ending))
    assert kills(samples(counting)) == {cause.value: 1}


def test_every_cause_of_a_kill_is_counted_from_zero_so_that_the_first_kills_are_an_increase() -> None:
    found = samples(recorder())
    assert [value(found, "kills_total", cause=cause.value) for cause in Cause] == [0.0] * len(Cause)


@pytest.mark.parametrize(
    "ending",
    [
        {"killed": True, "lingered": True},
        {"exit_status": ExitStatus(signal_name="SIGKILL"), "out_of_memory": OutOfMemory(1, 64.0)},
    ],
)
def test_a_job_whose_process_was_killed_after_the_block_had_returned_is_no_kill(
    ending: dict[str, Any],
) -> None:
    counting = recorder()
    counting.ended(BLOCK, finished(Cause.COMPLETED, success=True, outcome=RETURNED, **ending))
    assert kills(samples(counting)) == {}


def test_a_crash_is_no_kill_and_a_job_without_a_child_has_no_run() -> None:
    counting = recorder()
    counting.ended(BLOCK, finished(Cause.CRASHED, exit_status=ExitStatus(signal_name="SIGSEGV")))
    counting.ended(BLOCK, not_run(refusals.worker_stopping()))
    found = samples(counting)
    assert kills(found) == {}
    assert value(found, "run_seconds_count") == 1


def test_a_block_that_this_worker_does_not_have_gets_no_label_however_many_the_engine_names() -> None:
    counting = recorder()
    for number in range(50):
        counting.not_run(f"evil/{number}", "unknown_block")
    counting.not_run(None, "malformed_job")
    found = samples(counting)
    assert value(found, "results_total", block="other", outcome="failed", cause="unknown_block") == 50
    assert value(found, "results_total", block="other", outcome="failed", cause="malformed_job") == 1
    counting.is_block = lambda _: True
    for number in range(MOST_BLOCKS + 100):
        counting.not_run(f"many/{number}", "expired")
    blocks = {
        dict(labels)["block"] for name, labels in samples(counting) if name == "neops_worker_results_total"
    }
    assert len(blocks) == MOST_BLOCKS + 1


def test_a_result_s_way_to_the_engine_is_timed_once() -> None:
    clock = Clock()
    counting = recorder(clock)
    counting.result_waits(7)
    clock.now += 3.0
    counting.result_settled(7)
    counting.result_settled(7)
    counting.result_settled(8)
    found = samples(counting)
    assert (value(found, "report_seconds_count"), value(found, "report_seconds_sum")) == (1, 3.0)


def test_the_age_of_the_heartbeat_grows_until_one_is_answered() -> None:
    clock = Clock()
    counting = recorder(clock)
    clock.now += 45.0
    counting.beat_failed()
    counting.beat_sent(-0.001)
    assert value(samples(counting), "heartbeat_age_seconds") == 45.0
    counting.beat_answered()
    found = samples(counting)
    assert value(found, "heartbeat_age_seconds") == 0.0
    assert (value(found, "heartbeats_total"), value(found, "heartbeat_failures_total")) == (1, 1)


def test_the_worker_s_state_is_told_as_gauges_and_each_cause_as_one_or_zero() -> None:
    counts = Counts(
        slots=4, slots_taken=3, jobs=5, spares=2, results_waiting=9, journal_claims=14, dead_letters=3
    )
    counting = recorder()
    snapshot = Snapshot(100.0, (Reason("paused", "paused by ann"),), counts=counts)
    found = samples(counting, snapshot)
    assert [value(found, name) for name in ("ready", "live", "slots", "slots_free", "jobs", "spares")] == [
        0,
        1,
        4,
        1,
        5,
        2,
    ]
    assert [value(found, name) for name in ("results_waiting", "journal_claims", "dead_letters")] == [
        9,
        14,
        3,
    ]
    causes = {dict(labels)["cause"]: told for (name, labels), told in found.items() if "not_ready" in name}
    assert set(causes) == {*CAUSES, "loop_blocked"}
    assert [cause for cause, told in causes.items() if told] == ["paused"]
    blocked = samples(counting, snapshot, now=111.0)
    assert (value(blocked, "live"), value(blocked, "loop_blocked_seconds")) == (0, 10.0)
    assert value(samples(counting, Snapshot(100.0, ())), "ready") == 1
