"""From marks to a table: the first mark of each name that belongs to a job, in the order of the medians."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.programs.bench.timeline.hops import ACCEPTED, CLAIMED

Marks = Mapping[str, float]
"""When each step of one job was, in seconds after the claim."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the table, in milliseconds. `share` is that of the time from claim to accepted result."""

    name: str
    after_claim_ms: float
    step_ms: float
    p90_step_ms: float
    share: float | None


def by_job(marks: Sequence[tuple[float, str]], claims: Sequence[float]) -> list[dict[str, float]]:
    """Return for each claim the first mark of each name before the next claim. All in the same clock."""
    jobs: list[dict[str, float]] = []
    for number, claim in enumerate(claims):
        end = claims[number + 1] if number + 1 < len(claims) else float("inf")
        seen: dict[str, float] = {}
        for at, name in marks:
            if claim <= at < end:
                seen.setdefault(name, at - claim)
        jobs.append(seen)
    return jobs


def steps(jobs: Sequence[Marks]) -> list[Step]:
    """Return the steps in the order in which they come in the middle job; only what nearly every job has."""
    names = {name for job in jobs for name in job}
    common = [name for name in names if sum(name in job for job in jobs) >= 0.9 * len(jobs)]
    complete = [job for job in jobs if all(name in job for name in common)]
    medians = {name: statistics.median(job[name] for job in complete) for name in common}
    total = medians.get(ACCEPTED, max(medians.values(), default=0.0))
    found: list[Step] = []
    before = CLAIMED
    for name in sorted((name for name in common if name != CLAIMED), key=medians.__getitem__):
        taken = sorted(job[name] - job.get(before, 0.0) for job in complete)
        middle, late = statistics.median(taken), taken[int(0.9 * (len(taken) - 1))]
        share = middle / total if medians[name] <= total and total else None
        found.append(Step(name, medians[name] * 1000, middle * 1000, late * 1000, share))
        before = name
    return found


def table(found: Sequence[Step]) -> str:
    """Return a line for each step."""
    width = max((len(step.name) for step in found), default=4)
    lines = [f"{'step':<{width}}  {'after claim':>11}  {'step':>8}  {'p90':>8}  share"]
    lines.append("-" * len(lines[0]))
    for step in found:
        share = "" if step.share is None else f"{step.share:>5.0%}"
        lines.append(
            f"{step.name:<{width}}  {step.after_claim_ms:>8.2f} ms  {step.step_ms:>8.2f}  {step.p90_step_ms:>8.2f}  "
            f"{share}".rstrip()
        )
    return "\n".join(lines)
