"""For how long a limit of a job could not be enforced, as nobody could see what the job used."""

from dataclasses import dataclass, replace

from supervisor.verdict import LimitKind, Unwatched


@dataclass(frozen=True, slots=True)
class Gap:
    """The times in which one limit was not watched: `seconds` that are over, and one `since` when, if it lasts."""

    kind: LimitKind
    reason: str
    seconds: float = 0.0
    since: float | None = None

    def until(self, at: float) -> float:
        """Return the seconds up to a time."""
        return self.seconds if self.since is None else self.seconds + max(0.0, at - self.since)


Gaps = tuple[Gap, ...]


def failed(gaps: Gaps, kind: LimitKind, reason: str, at: float) -> Gaps:
    """Take note that a look failed. Of several reasons the first is kept."""
    known = next((gap for gap in gaps if gap.kind is kind), Gap(kind, reason))
    if known.since is None:
        known = replace(known, since=at)
    return (*(gap for gap in gaps if gap.kind is not kind), known)


def seen(gaps: Gaps, kind: LimitKind, at: float) -> Gaps:
    """Take note that the job was looked at."""
    return tuple(replace(gap, seconds=gap.until(at), since=None) if gap.kind is kind else gap for gap in gaps)


def unwatched(gaps: Gaps, at: float) -> tuple[Unwatched, ...]:
    """Return what the result must tell of a job that has ended at this time."""
    return tuple(Unwatched(gap.kind, gap.until(at), gap.reason) for gap in gaps)
