"""How long to wait before another try, and which answers are worth one. Pure."""

import random
from dataclasses import dataclass, field
from typing import Final

RETRYABLE_STATUSES: Final = frozenset({408, 425, 429})
"""4xx after which the same request may succeed. `supervisor.worker.result_answers` knows more of them for results."""

LONGEST_RETRY_AFTER_SECONDS: Final = 120.0
"""The longest Retry-After that is respected: the engine gives a job up after some minutes without a result."""


def is_retryable(status: int | None) -> bool:
    """Whether the same request may succeed later. `None` is a transport error.

    The engine sends no redirects: a redirect comes from a proxy in between, which may be gone at the next request.
    """
    return status is None or status < 400 or status in RETRYABLE_STATUSES or status >= 500


_RNG: Final = random.Random()  # noqa: S311  # spread, not secrecy
"""One generator for all: each takes 2.5 kB, and a hundred thousand results may wait."""


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with full jitter, so that many workers that lost one engine do not return at once.

    Times are seconds. `rng` is replaced in tests.
    """

    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    rng: random.Random = field(default_factory=lambda: _RNG)
    failures: int = 0

    def next_pause(self, retry_after_seconds: float | None = None) -> float:
        """Count a failure and return the pause before the next try. It is at least what the engine asked for."""
        ceiling = min(self.longest_seconds, self.first_seconds * 2 ** min(self.failures, 20))
        self.failures += 1
        # At least a tenth: without a pause the worker would loop without rest.
        pause = self.rng.uniform(ceiling / 10, ceiling)
        if not retry_after_seconds:
            return pause
        asked = min(retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS)
        # Workers that got the same Retry-After must not all return at the same moment.
        return max(pause, asked + self.rng.uniform(0, min(asked, self.longest_seconds)))

    def reset(self) -> None:
        """Begin anew after a success."""
        self.failures = 0
