"""What becomes of claims of an earlier run: nothing is reported that another may still run (I8)."""

import pytest

from supervisor.lifecycle.interrupted_claims import Fate, judge

LIMIT = 720.0


@pytest.mark.parametrize(
    ("doubt", "is_polled", "age_seconds", "fate"),
    [
        (None, True, 1.0, Fate.REPORT),
        (None, True, 90_000.0, Fate.REPORT),  # the engine waits for it, however long that is
        (None, False, 1.0, Fate.OVER),
        (None, None, LIMIT, Fate.REPORT),
        (None, None, -90_000.0, Fate.REPORT),  # the clock was set back
        (None, None, LIMIT + 1, Fate.SET_ASIDE),
        ("a copy", True, 1.0, Fate.SET_ASIDE),
        ("a copy", False, 1.0, Fate.SET_ASIDE),
        ("a copy", None, 1.0, Fate.SET_ASIDE),
    ],
)
def test_only_what_the_engine_waits_for_is_reported(
    doubt: str | None, is_polled: bool | None, age_seconds: float, fate: Fate
) -> None:
    judgement = judge(
        doubt=doubt, is_polled=is_polled, age_seconds=age_seconds, engine_job_timeout_seconds=LIMIT
    )
    assert judgement.fate is fate
    assert bool(judgement.reason) == (fate is Fate.SET_ASIDE)
