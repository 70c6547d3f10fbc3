"""What became of one attack, and the table of all."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_FIGURE_CHARS: Final = 100


class State(StrEnum):
    """How an attack ended."""

    HELD = "held"
    BROKEN = "BROKEN"
    SKIPPED = "skipped"
    OPEN = "open"
    """Not tried: it is known to succeed, and is said so."""
    ERROR = "ERROR"
    """It could not be tried to its end, for a reason of its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One attack. `ping_seconds` is how much later than a bare process the worst heartbeat was, where that counts."""

    number: str
    title: str
    state: State
    figure: str
    seconds: float
    ping_seconds: float | None = None

    @property
    def may_be_by_chance(self) -> bool:
        """Whether the machine alone may have done this: the attack did not come off, or only its heartbeat was late.

        A machine that stood still for a moment is no attack, and one that stops the heartbeat stops it again.
        """
        return self.state is State.ERROR or (self.state is State.BROKEN and self.ping_seconds is not None)


def table(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, with its figure or its reason below it, and the sums."""
    lines = [f"{'':<13} {'':<8} {'seconds':>7} {'pings late':>10}"]
    for finding in findings:
        late = "" if finding.ping_seconds is None else f"{finding.ping_seconds * 1000:.0f} ms"
        lines.append(
            f"{finding.number:<13} {finding.state:<8} {finding.seconds:>7.1f} {late:>10}  {finding.title}"
        )
        lines += textwrap.wrap(
            finding.figure, _FIGURE_CHARS, initial_indent=" " * 14, subsequent_indent=" " * 14
        )
    sums = Counter(finding.state for finding in findings)
    lines += ["", ", ".join(f"{sums[state]} {state}" for state in State)]
    # Once more at the end, where somebody looks who has the last lines only.
    lines += [
        f"NO: {finding.number} ({finding.title}): {finding.state}: {' '.join(finding.figure.split())}"
        for finding in findings
        if finding.state in (State.BROKEN, State.ERROR)
    ]
    return "\n".join(lines)
