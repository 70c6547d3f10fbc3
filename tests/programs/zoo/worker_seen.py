"""What the worker itself looked like while it had the zoo in its slots."""

from dataclasses import dataclass
from typing import Final

from tests.programs.bench.distribution import Distribution

PING_P99_SECONDS: Final = 0.1
"""Beyond what the machine was late itself. A worker that a block can hold up is late by seconds."""

_MORE_DESCRIPTORS: Final = 4
"""A connection to the engine and a directory may be on their way when the descriptors are counted."""


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """`bugs` are lines of its log in which it accuses itself, `left` what was alive after its end."""

    pings: Distribution
    pings_due: int
    machine: Distribution
    left: tuple[str, ...]
    more_descriptors: int
    exit_code: int
    bugs: tuple[str, ...]

    def problems(self) -> list[str]:
        """Return what is not as it must be, one sentence each."""
        found = [f"left alive after the worker: {process}" for process in self.left]
        found += [f"the worker has a bug: {line}" for line in self.bugs]
        if self.pings.p99 > PING_P99_SECONDS + self.machine.p99:
            found.append(f"pings were late by {self.pings.p99 * 1000:.0f} ms (p99)")
        # Beats that never came are late in no list.
        if self.pings.count < self.pings_due / 2:
            found.append(f"only {self.pings.count} of {self.pings_due} pings came")
        if self.more_descriptors > _MORE_DESCRIPTORS:
            found.append(f"the worker has {self.more_descriptors} more descriptors than before")
        if self.exit_code != 0:
            found.append(f"the worker ended with exit code {self.exit_code} after SIGTERM")
        return found

    def __str__(self) -> str:
        return "\n".join(
            f"{name:<24} {late.count:>5} times: p50 {late.p50 * 1000:.1f}, p99 {late.p99 * 1000:.1f}, "
            f"worst {late.worst * 1000:.1f} ms"
            for name, late in (("pings late", self.pings), ("the machine's own timers", self.machine))
        )
