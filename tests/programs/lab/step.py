"""What a step of the run is, and how it went."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from supervisor.commands.shared.table import print_rows
from tests.programs.lab.stage import Stage

Run = Callable[[Stage], str]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must hold. `run` returns the figure that shows it, or raises `AssertionError`."""

    name: str
    title: str
    run: Run


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step went."""

    step: Step
    holds: bool
    figure: str
    seconds: float


STEPS: Final[list[Step]] = []
"""In the order in which they run: that of the modules, and of their lines."""


def step(title: str) -> Callable[[Run], Run]:
    """Register a step. Each leaves the routers configured as it has found them."""

    def register(run: Run) -> Run:
        STEPS.append(Step(run.__name__, title, run))  # type: ignore[attr-defined]  # a function
        return run

    return register


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each step, with its figure."""
    rows = [
        [
            "yes" if outcome.holds else "NO",
            f"{outcome.seconds:.1f}",
            outcome.step.name,
            f"{outcome.step.title}: {outcome.figure}",
        ]
        for outcome in outcomes
    ]
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=150)
    print_rows(console, ["holds", "seconds", "step", "what"], rows, right=["seconds"])
