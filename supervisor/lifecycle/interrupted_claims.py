"""What to do with a claim that an earlier run has left without a result (docs/adr/0025). Pure."""

from dataclasses import dataclass
from enum import Enum, auto


class Fate(Enum):
    """What is done with it."""

    REPORT = auto()
    """Its job died with that run, and the engine still waits for its result."""
    OVER = auto()
    """The engine does not wait any more: it has a result, or has given the job up, perhaps to another worker."""
    SET_ASIDE = auto()
    """Another worker may run it, or the engine may have given it up: a report could contradict a result."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A fate, and why a claim is set aside."""

    fate: Fate
    reason: str = ""


def judge(
    *, doubt: str | None, is_polled: bool | None, age_seconds: float, engine_job_timeout_seconds: float
) -> Judgement:
    """Decide about one claim.

    `doubt` is why this state directory may be a copy. `is_polled`: whether the engine lists this job as claimed by this
    worker, `None` if it can't say. `age_seconds` is the time since the claim, by the wall clock.

    If the engine can't say, time decides: the engine fails a job that was claimed longer ago than its limit, and may
    start it again under the same id, elsewhere (engine contract: worker states, retries).
    """
    if doubt is not None:
        return Judgement(Fate.SET_ASIDE, f"the state directory may be a copy ({doubt})")
    if is_polled is not None:
        return Judgement(Fate.REPORT if is_polled else Fate.OVER)
    if age_seconds > engine_job_timeout_seconds:
        return Judgement(
            Fate.SET_ASIDE,
            f"it was claimed {age_seconds / 60:.0f} min ago, so the engine has given it up, and may have started it "
            "again elsewhere; the worker could not ask (see --engine-token-file)",
        )
    return Judgement(Fate.REPORT)
