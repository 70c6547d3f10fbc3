"""Jobs on real routers, the whole way: exit code 0 when every step holds, 1 when not."""

import argparse
import sys
import time

from sdk.testing.frr_lab import why_not
from tests.programs.lab import steps as _steps  # noqa: F401  # registers them
from tests.programs.lab.stage import Options, staged
from tests.programs.lab.step import STEPS, Run
from tests.programs.steps import Outcome, Step, chosen, told


def main() -> int:
    """Run the steps. Returns 0 when all hold, or where there can be no lab, which is said; else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.lab",
        description="Run jobs on real routers: FRR in namespaces, reached through engine, supervisor and child.",
    )
    parser.add_argument("only", nargs="*", metavar="NAME", help="steps to run; by default all")
    parser.add_argument("--starts", type=int, default=3, help="how often the lab is started (default: 3)")
    arguments = parser.parse_args()
    if reason := why_not():
        print(f"skipped: {reason}")
        return 0
    steps = chosen(parser, STEPS, set(arguments.only))
    begun = time.monotonic()
    outcomes = run_steps(steps, Options(arguments.starts))
    return told(outcomes, time.monotonic() - begun)


def run_steps(steps: list[Step[Run]], options: Options) -> list[Outcome]:
    """Start engine, worker and lab, and run these steps, one after the other."""
    outcomes: list[Outcome] = []
    with staged(options) as stage:
        for step in steps:
            begun = time.monotonic()
            try:
                holds, figure = True, step.run(stage)
            except Exception as error:  # whatever it is: the others are run all the same
                holds, figure = False, f"{type(error).__name__}: {error}"
            outcomes.append(Outcome(step, holds, figure, time.monotonic() - begun))
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
