"""How long to wait before another try, and which answers are worth one. Pure."""

import random
from dataclasses import dataclass, field
from typing import Final

RETRYABLE_STATUSES: Final = frozenset({408, 425, 429})
"""4xx that may pass by themselves. Of results `supervisor.worker.result_answers` knows more."""

LONGEST_RETRY_AFTER_SECONDS: Final = 120.0
"""The engine's Retry-After is respected up to here: it gives a job up after some minutes without a result."""


def is_retryable(status: int | None) -> bool:
    """Whether the same request may succeed later. No status is a transport error.

    The engine has no redirects: one is the word of a proxy in between, which may be gone with the next request.
    """
    return status is None or status < 400 or status in RETRYABLE_STATUSES or status >= 500


_RNG: Final = random.Random()  # noqa: S311  # spread, not secrecy
"""One for all: each is 2.5 kB, and a hundred thousand results may wait."""


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with full jitter: many workers that lost one engine do not return in one second.

    Times are seconds. `rng` is replaced in tests.
    """

    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    rng: random.Random = field(default_factory=lambda: _RNG)
    failures: int = 0

    def next_pause(self, retry_after_seconds: float | None = None) -> float:
        """Count a failure and return the pause before the next try; at least what the engine asked for."""
        ceiling = min(self.longest_seconds, self.first_seconds * 2 ** min(self.failures, 20))
        self.failures += 1
        # Not less than a tenth: a pause of nothing is a busy loop.
        pause = self.rng.uniform(ceiling / 10, ceiling)
        if not retry_after_seconds:
            return pause
        asked = min(retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS)
        # Workers that were all told the same must not all return at the same moment.
        return max(pause, asked + self.rng.uniform(0, min(asked, self.longest_seconds)))

    def reset(self) -> None:
        """Begin anew after a success."""
        self.failures = 0
