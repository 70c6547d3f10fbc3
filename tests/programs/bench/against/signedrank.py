"""The interval of a paired ratio, by Wilcoxon's signed-rank statistic.

It assumes nothing of how the noise is distributed, only that it treats both sides of a pair alike. The order within a
pair sees to that: it is drawn by lot. So the logarithm of a pair's ratio lies as likely above as below the true one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true ratio lies with at least the level that was asked for. Both ends belong to it."""

    low: float
    high: float

    def contains(self, ratio: float) -> bool:
        """Whether `ratio` is one of those that the measurements allow."""
        return self.low <= ratio <= self.high


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """The estimate, and its interval: `None` when there are too few pairs for the level."""

    estimate: float
    interval: Interval | None


def level_of_each(family_level: float, figures: int) -> float:
    """Return the level that each interval needs for all to hold together with `family_level` (Bonferroni).

    It holds however the figures depend on each other, and these do: all come from the same runs.
    """
    return 1 - (1 - family_level) / figures


def fewest_pairs(level: float) -> int:
    """Return how many pairs an interval at `level` needs: with fewer, even the widest one falls short of it."""
    pairs = 1
    while 2 * 0.5**pairs > 1 - level:
        pairs += 1
    return pairs


def paired_ratio(pairs: Sequence[tuple[float, float]], level: float) -> PairedRatio | None:
    """Return by what the first of a pair has to be multiplied to be the second, over all `pairs`.

    The estimate is the median of the means of every two pairs (Hodges and Lehmann), taken of logarithms. `None` where
    a value is 0 or below: there is no ratio then.
    """
    if not pairs or any(value <= 0 for pair in pairs for value in pair):
        return None
    logarithms = [math.log(second / first) for first, second in pairs]
    means = sorted((one + other) / 2 for one, other in combinations_with_replacement(logarithms, 2))
    rank = _rank_of_end(len(pairs), level)
    # Equal values must give exactly 1, which the mean of two logarithms' exponential does: exp(0).
    interval = None if rank is None else Interval(math.exp(means[rank]), math.exp(means[-1 - rank]))
    return PairedRatio(math.exp(_median(means)), interval)


def _rank_of_end(pairs: int, level: float) -> int | None:
    """Return how many of the ordered means may lie outside at each end; `None` when not even none may."""
    ways = _ways_to_rank_sums(pairs)
    total, allowed = 2**pairs, (1 - level) / 2
    outside, rank = 0, None
    for sum_of_ranks, count in enumerate(ways):
        outside += count
        if outside / total > allowed:
            break
        rank = sum_of_ranks
    return rank


def _ways_to_rank_sums(pairs: int) -> list[int]:
    """Return in how many ways signs give each sum of the positive ranks; all signs are equally likely."""
    ways = [1] + [0] * (pairs * (pairs + 1) // 2)
    for rank in range(1, pairs + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
