"""Runs cases, and stops at the first that leaks."""

from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings

from tests.programs.redaction.cases import Case, cases


def fuzz(number: int, *, derandomize: bool = False) -> Counter[str]:
    """Run so many cases. Returns how many there were of each kind; raises `AssertionError` for a leak."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        derandomize=derandomize,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(cases())
    def no_secret_can_be_read(case: Case) -> None:
        seen.update(
            ("cases", f"written as: {case.writing}", f"left by: {case.place}", f"from: {case.bringing}")
        )
        leak = case.leak()
        assert leak is None, leak

    no_secret_can_be_read()
    return seen


def tried(number: int, repeatable: bool) -> tuple[Counter[str], str]:
    """Run so many cases. Returns how many there were of each kind, and what leaked; empty where nothing did."""
    try:
        return fuzz(number, derandomize=repeatable), ""
    except AssertionError as error:
        notes = (note[:3000] for note in getattr(error, "__notes__", ()))
        return Counter(), "\n".join([f"A secret leaked: {error}", *notes])
