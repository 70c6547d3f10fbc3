"""Steps of a program that each must hold, how they went, and the table: for `make lab` and `make systemd-test`."""

import argparse
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

RunT = TypeVar("RunT", bound=Callable[..., Any])

_WIDTH: Final = 100
_INDENT: Final = " " * 13


@dataclass(frozen=True, slots=True)
class Step(Generic[RunT]):
    """One thing that must hold. `run` gives the figure that shows it, or raises `AssertionError`."""

    name: str
    title: str
    run: RunT


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step went."""

    step: Step[Any]
    holds: bool
    figure: str
    seconds: float


def registering(steps: list[Step[RunT]]) -> Callable[[str], Callable[[RunT], RunT]]:
    """Return the decorator `step(title)`, which adds a function to `steps`: in the order in which they run."""

    def step(title: str) -> Callable[[RunT], RunT]:
        def register(run: RunT) -> RunT:
            steps.append(Step(run.__name__, title, run))
            return run

        return register

    return step


def chosen(parser: argparse.ArgumentParser, steps: Sequence[Step[RunT]], names: set[str]) -> list[Step[RunT]]:
    """Return the steps of these names, all where there are none. Ends the program for a name that no step has."""
    if unknown := names - {step.name for step in steps}:
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    return [step for step in steps if not names or step.name in names]


def told(outcomes: Sequence[Outcome], seconds: float) -> int:
    """Print the table and the sum. Returns the exit code: 0 when all hold, else 1."""
    print(table(outcomes))
    failed = sum(not outcome.holds for outcome in outcomes)
    print(f"\n{len(outcomes)} steps, {failed} not as they must be; {seconds:.0f} s")
    return 1 if failed else 0


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a line for each step, and its figure below it."""
    lines: list[str] = []
    for outcome in outcomes:
        lines.append(
            f"{'yes' if outcome.holds else 'NO':<4}{outcome.seconds:>5.1f} s  {outcome.step.title}"
            f"  ({outcome.step.name})"
        )
        lines += textwrap.wrap(outcome.figure, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
    return "\n".join(lines)
