"""Fuzzing of the masking: secrets in every way of writing, in every place where a text leaves the worker."""

import argparse
import sys
import time
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


def main() -> int:
    """Run the cases and print figures. Returns 1 where a secret could be read."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.redaction", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument(
        "--repeatable", action="store_true", help="the same cases each time, for a check that must not vary"
    )
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        seen = fuzz(arguments.cases, derandomize=arguments.repeatable)
    except AssertionError as error:
        notes = (note[:3000] for note in getattr(error, "__notes__", ()))
        print(f"A secret leaked: {error}", *notes, sep="\n")
        return 1
    for kind, count in sorted(seen.items()):
        if kind != "cases":
            print(f"{count:7}  {kind}")
    print(f"{seen['cases']} cases in {time.monotonic() - started:.0f} s: 0 leaks.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
