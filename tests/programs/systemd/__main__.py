"""The service as it is shipped, under a real systemd: exit code 0 when every step holds, 1 when not."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.programs.steps import Outcome, Step, chosen, told
from tests.programs.systemd import steps as _steps  # noqa: F401  # registers them
from tests.programs.systemd.manager import manager
from tests.programs.systemd.private_systemd import why_not
from tests.programs.systemd.step import STEPS, Run

BESIDE = frozenset({"installed"})
"""Steps that run while the others do."""


def main() -> int:
    """Run the steps. Returns 0 when all hold, or where none can be run, which is said; else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.systemd",
        description="Run the service as it is shipped under a systemd in namespaces, as root.",
    )
    parser.add_argument("only", nargs="*", metavar="NAME", help="steps to run; by default all")
    names = set(parser.parse_args().only)
    if reason := why_not():
        print(f"skipped: {reason}")
        return 0
    steps = chosen(parser, STEPS, names)
    begun = time.monotonic()
    outcomes = asyncio.run(run_steps(steps))
    return told(outcomes, time.monotonic() - begun)


async def run_steps(steps: list[Step[Run]]) -> list[Outcome]:
    """Boot a systemd, and run these steps in it, one after the other."""
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="neops-systemd-") as name:
        async with manager(Path(name).resolve()) as made:
            # It waits for a package index most of the time, and uses nothing of the service.
            beside = {step.name: asyncio.create_task(step.run(made)) for step in steps if step.name in BESIDE}
            for step in steps:
                begun = time.monotonic()
                try:
                    holds, figure = True, await (beside.get(step.name) or step.run(made))
                except Exception as error:  # whatever it is: the others are run all the same
                    holds, figure = False, f"{type(error).__name__}: {error} {made.said()}"
                outcomes.append(Outcome(step, holds, figure, time.monotonic() - begun))
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
