"""In which order things are measured: by lot between pairs, and there and back within one."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. Jobs are counted for each version in each pair."""

    pairs: int
    paced_jobs: int
    one_by_one_jobs: int
    counted_jobs: int
    burst_jobs: int


DEFAULT: Final = Plan(pairs=14, paced_jobs=40, one_by_one_jobs=60, counted_jobs=40, burst_jobs=160)
SHORT: Final = Plan(pairs=1, paced_jobs=4, one_by_one_jobs=8, counted_jobs=4, burst_jobs=16)


def orders(pairs: int, random: Random) -> Iterator[bool]:
    """Yield for each pair whether the other version comes first: in one of every two pairs, drawn by lot."""
    for _ in range(0, pairs, 2):
        first = random.random() < 0.5
        yield from (first, not first)[:pairs]
        pairs -= 2


def there_and_back(first: T, second: T, turns: int) -> Iterator[T]:
    """Yield first, second, second, first, and so on, each `turns` times: a steady drift then meets both alike."""
    for turn in range(turns):
        yield from (first, second) if turn % 2 == 0 else (second, first)
