"""Fuzzing of the masking: secrets in every way of writing, in every place where a text leaves the worker."""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.programs.redaction.fuzzing import tried


def main() -> int:
    """Run the cases and print figures. Returns 1 where a secret could be read."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.redaction", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument(
        "--repeatable",
        action="store_true",
        help="the same cases each time, for a check that must not vary; in one process",
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="how many share the cases, each with a seed of its own (default: %(default)s)",
    )
    arguments = parser.parse_args()
    started = time.monotonic()
    processes = 1 if arguments.repeatable else max(1, arguments.processes)
    shares = [
        arguments.cases // processes + (each < arguments.cases % processes) for each in range(processes)
    ]
    # Not forked: each would begin with the same random numbers.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        outcomes = [pool.submit(tried, share, arguments.repeatable) for share in shares]
        seen: Counter[str] = Counter()
        for outcome in as_completed(outcomes):
            counted, leak = outcome.result()
            seen += counted
            if leak:
                print(leak, flush=True)
    if any(outcome.result()[1] for outcome in outcomes):
        return 1
    for kind, count in sorted(seen.items()):
        if kind != "cases":
            print(f"{count:7}  {kind}")
    print(f"{seen['cases']} cases in {time.monotonic() - started:.0f} s: 0 leaks.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
