"""How long the engine asks to wait (RFC 9110, section 10.2.3)."""

import pytest

from supervisor.engine.error_texts import retry_after_seconds

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("120", None, 120.0),
        ("0", DATE, 0.0),
        ("0.5", None, 0.5),
        ("Wed, 21 Oct 2026 07:28:30 GMT", DATE, 30.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:10 GMT", 20.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", DATE, 0.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", 30.0),
    ],
)
def test_seconds_and_dates_are_understood(value: str, date: str | None, seconds: float) -> None:
    """A date counts from the answer's own: the clocks of engine and worker need not agree."""
    assert retry_after_seconds(value, date) == seconds


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (None, DATE),
        ("", DATE),
        ("soon", DATE),
        ("inf", DATE),
        ("nan", DATE),
        ("Wed, 21 Oct 2026 07:28:30 GMT", None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", "yesterday"),
        ("Wed, 21 Oct 2026 07:28:30", "Wed, 21 Oct 2026 07:28:00 GMT"),
    ],
)
def test_what_is_not_understood_or_has_nothing_to_count_from_is_ignored(
    value: str | None, date: str | None
) -> None:
    assert retry_after_seconds(value, date) is None
