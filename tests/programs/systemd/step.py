"""What a step of the run is, how it went, and the table of all."""

import textwrap
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.programs.systemd.manager import Manager

Run = Callable[[Manager], Awaitable[str]]


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
    """Register a step. Each finds the service as the one before has left it."""

    def register(run: Run) -> Run:
        STEPS.append(Step(run.__name__, title, run))  # type: ignore[attr-defined]  # a function
        return run

    return register


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a line for each step, and its figure below it."""
    lines: list[str] = []
    for outcome in outcomes:
        lines.append(
            f"{'yes' if outcome.holds else 'NO':<4}{outcome.seconds:>5.1f} s  {outcome.step.title}"
            f"  ({outcome.step.name})"
        )
        lines += textwrap.wrap(outcome.figure, 100, initial_indent=" " * 13, subsequent_indent=" " * 13)
    return "\n".join(lines)
