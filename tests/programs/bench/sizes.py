"""How much is measured: the default within two minutes, the quick form within forty seconds."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """Counts of jobs, and seconds of watching."""

    paced_jobs: int
    back_to_back_jobs: int
    throughput_jobs: int
    bare_jobs: int
    spawned_jobs: int
    quiet_seconds: float
    hog_seconds: float
    idle_seconds: float


DEFAULT: Final = Sizes(
    paced_jobs=120,
    back_to_back_jobs=200,
    throughput_jobs=600,
    bare_jobs=600,
    spawned_jobs=8,
    quiet_seconds=8,
    hog_seconds=21,
    idle_seconds=21,
)
QUICK: Final = Sizes(
    paced_jobs=30,
    back_to_back_jobs=80,
    throughput_jobs=500,
    bare_jobs=200,
    spawned_jobs=4,
    quiet_seconds=2,
    hog_seconds=4,
    idle_seconds=4,
)
