"""The invariants, checked over the history of one seed. Pure."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sdk.devengine import JobRecord
from tests.programs.chaos.claims import claims_of, runs_of, unknowable
from tests.programs.chaos.history import History, Life
from tests.programs.chaos.truth import untruth

HEARTBEAT_MARGIN_SECONDS: Final = 1.0

KINDS: Final = (
    "not final",
    "lost",
    "wrong",
    "run twice",
    "accepted twice",
    "contradicted",
    "heartbeat paused",
    "left behind",
    "not stopped",
)


@dataclass
class Findings:
    """What was counted, and every violation as kind and sentence."""

    violations: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    longest_gap_seconds: float = 0.0

    def add(self, kind: str, text: str) -> None:
        """Note a violation."""
        assert kind in KINDS
        self.violations.append((kind, text))


def check(history: History) -> Findings:
    """Check every invariant."""
    findings = Findings()
    for text in history.problems:
        kind, _, sentence = text.partition(": ")
        findings.add(kind, sentence)
    for job in history.jobs:
        _check_job(history, job.job_id, findings)
    for life in history.lives:
        gap, at = longest_gap(history, life)
        findings.longest_gap_seconds = max(findings.longest_gap_seconds, gap)
        if gap > history.heartbeat_seconds + HEARTBEAT_MARGIN_SECONDS:
            findings.add("heartbeat paused", f"no ping for {gap:.2f} s at {at:.2f}")
    return findings


def _was_given_back_at_the_end(history: History, job: JobRecord) -> bool:
    """Whether the engine took it from the worker that left without knowing of it, to give it to another."""
    claims = list(claims_of(history, job))
    return bool(claims) and claims[-1].finished_by == "engine" and unknowable(history, claims[-1]) is not None


def _check_job(history: History, job_id: str, findings: Findings) -> None:
    job = next(job for job in history.jobs if job.job_id == job_id)
    findings.counts["jobs"] += 1
    findings.counts["claims"] += job.attempts
    if job.status != "pushed" and not _was_given_back_at_the_end(history, job):
        findings.add(
            "not final", f"job {job_id} is {job.status} at the end ({job.item['parameters']['act']})"
        )
    for claim in claims_of(history, job):
        if len(runs := runs_of(history, claim)) > 1:
            findings.add("run twice", f"job {job_id}: claim {claim.number} ran as {runs}")
        if claim.finished_by == "engine":
            reason = unknowable(history, claim)
            if reason is None:
                findings.add(
                    "lost", f"job {job_id}: the engine ended claim {claim.number}, which the worker knew"
                )
            else:
                findings.counts[f"ended by the engine: {reason}"] += 1
        elif (text := untruth(history, claim)) is not None:
            findings.add("wrong", f"job {job_id}: {text}")
        else:
            findings.counts["success" if job.result_status == "success" else "failed"] += 1
    _check_doubles(history, job_id, job.attempts, findings)


def _check_doubles(history: History, job_id: str, attempts: int, findings: Findings) -> None:
    runs = [run for run in history.runs if run.job_id == job_id]
    if len(runs) > attempts:
        findings.add("run twice", f"job {job_id} was claimed {attempts} time(s) and ran as {runs}")
    sent = history.results.get(job_id, [])
    accepted = sum(status == 201 for exchange in sent for status in exchange.engine_statuses)
    if accepted > attempts:
        findings.add("accepted twice", f"job {job_id}: {attempts} claim(s), {accepted} accepted results")
    texts = dict.fromkeys(exchange.body for exchange in sent)
    # While the disk is full, a result exists in memory only: what is told after a kill can't know of it.
    full = any(deed.what == "disk full" for deed in history.deeds)
    if len(texts) > attempts and not full:
        shown = [text[:160] for text in texts]
        findings.add("contradicted", f"job {job_id}: {attempts} claim(s), {len(texts)} texts: {shown}")


def longest_gap(history: History, life: Life) -> tuple[float, float]:
    """Return the longest time without a ping in one life, and when it began.

    Without the time that the worker was stopped, and without that for which a processor stood still.
    """
    inside = [
        exchange.arrived
        for exchange in history.exchanges
        if exchange.route == "ping" and life.ready_at < exchange.arrived < life.ended_at
    ]
    stamps = [life.ready_at, *inside, life.ended_at]
    gaps = [(_blamed(history, begin, end), begin) for begin, end in _pairs(stamps)]
    return max(gaps, default=(0.0, 0.0))


def _pairs(stamps: list[float]) -> Iterator[tuple[float, float]]:
    yield from itertools.pairwise(stamps)


def _blamed(history: History, begin: float, end: float) -> float:
    gap = end - begin
    for deed in history.deeds_between(begin, end, "stop supervisor"):
        gap -= min(end, deed.until) - max(begin, deed.at)
    return max(0.0, gap - history.stood_still(begin, end))
