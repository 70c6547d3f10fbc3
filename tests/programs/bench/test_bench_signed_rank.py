"""The statistics of a comparison: known samples, and what the intervals hold when the truth is known."""

import math
from random import Random

import pytest

from tests.programs.bench.against.signedrank import fewest_pairs, level_of_each, paired_ratio

PAIRS = 14
FIGURES = 12


def pairs_of(logarithms: list[float]) -> list[tuple[float, float]]:
    """Pairs whose ratios have these logarithms."""
    return [(1.0, math.exp(value)) for value in logarithms]


def interval_in_logarithms(logarithms: list[float], level: float) -> tuple[float, float] | None:
    ratio = paired_ratio(pairs_of(logarithms), level)
    assert ratio is not None
    if ratio.interval is None:
        return None
    return round(math.log(ratio.interval.low), 9), round(math.log(ratio.interval.high), 9)


def measured(random: Random, truth: float, drift: float = 0.0) -> list[tuple[float, float]]:
    """Pairs as a busy machine gives them: both sides late by the same law, sometimes by a lot, and it gets slower."""

    def noise() -> float:
        late = 1.0 if random.random() < 0.1 else 0.0
        return math.exp(abs(random.gauss(0, 0.1)) + late)

    pairs = []
    for number in range(PAIRS):
        common = math.exp(drift * number) * noise()
        pairs.append((10 * common * noise(), 10 * truth * common * noise()))
    return pairs


# The critical values of the tables: 8 for ten pairs, 3 for eight, 0 for six, each at two-sided 5 %.
@pytest.mark.parametrize(("count", "ends"), [(10, (3.0, 8.0)), (8, (2.0, 7.0)), (6, (1.0, 6.0))])
def test_the_ends_are_those_of_the_tables(count: int, ends: tuple[float, float]) -> None:
    assert interval_in_logarithms([float(number) for number in range(1, count + 1)], 0.95) == ends


def test_the_estimate_is_the_median_of_the_means_of_two() -> None:
    # The means of two: 0, 0.5, 1, 5, 5.5, 10.
    ratio = paired_ratio(pairs_of([0.0, 1.0, 10.0]), 0.5)
    assert ratio is not None
    assert math.log(ratio.estimate) == pytest.approx(3.0)


def test_one_wild_pair_moves_no_end_to_itself() -> None:
    ends = interval_in_logarithms([*(number / 100 for number in range(-6, 7)), 50.0], 0.95)
    assert ends is not None
    assert ends[1] < 0.1


def test_equal_values_give_exactly_one() -> None:
    ratio = paired_ratio([(3.1, 3.1)] * 12, 0.99)
    assert ratio is not None
    assert ratio.interval is not None
    assert (ratio.estimate, ratio.interval.low, ratio.interval.high) == (1.0, 1.0, 1.0)
    assert ratio.interval.contains(1)


def test_exchanging_the_sides_turns_the_ratio_over() -> None:
    pairs = measured(Random(1), truth=1.3)
    there, back = paired_ratio(pairs, 0.95), paired_ratio([(b, a) for a, b in pairs], 0.95)
    assert there is not None
    assert there.interval is not None
    assert back is not None
    assert back.interval is not None
    assert there.estimate * back.estimate == pytest.approx(1)
    assert there.interval.low * back.interval.high == pytest.approx(1)


@pytest.mark.parametrize("pair", [(0.0, 3.0), (3.0, 0.0)])
def test_there_is_no_ratio_to_nothing(pair: tuple[float, float]) -> None:
    assert paired_ratio([(3.0, 3.0)] * 12 + [pair], 0.95) is None
    assert paired_ratio([], 0.95) is None


@pytest.mark.parametrize("level", [0.9, 0.95, level_of_each(0.95, FIGURES), 0.999])
def test_too_few_pairs_have_no_interval_and_one_more_has_the_widest(level: float) -> None:
    needed = fewest_pairs(level)
    logarithms = [float(number) for number in range(needed)]
    assert interval_in_logarithms(logarithms[:-1], level) is None
    assert interval_in_logarithms(logarithms, level) == (0, needed - 1)


def test_six_pairs_are_the_fewest_for_one_figure_and_nine_for_a_dozen() -> None:
    assert (fewest_pairs(0.95), fewest_pairs(level_of_each(0.95, FIGURES))) == (6, 9)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random, runs, level = Random(20), 2000, 0.9
    held = 0
    for _ in range(runs):
        ratio = paired_ratio(measured(random, truth=1.2, drift=0.05), level)
        assert ratio is not None
        assert ratio.interval is not None
        held += ratio.interval.contains(1.2)
    # The exact level for 14 pairs is 90.6 %; 0.7 % is the standard error of so many runs.
    assert 0.885 < held / runs < 0.927


def test_of_twenty_comparisons_of_equal_versions_at_most_one_shows_a_difference() -> None:
    random, runs = Random(21), 400
    level = level_of_each(0.95, FIGURES)
    false_alarms = 0
    for _ in range(runs):
        ratios = [paired_ratio(measured(random, truth=1.0), level) for _ in range(FIGURES)]
        intervals = [ratio.interval for ratio in ratios if ratio is not None]
        false_alarms += any(interval is not None and not interval.contains(1) for interval in intervals)
    assert false_alarms / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_a_tenth_more_is_seen_through_noise_of_half_that() -> None:
    random = Random(22)
    level = level_of_each(0.95, FIGURES)
    seen = 0
    for _ in range(200):
        pairs = [
            (random.lognormvariate(0, 0.035), 1.1 * random.lognormvariate(0, 0.035)) for _ in range(PAIRS)
        ]
        ratio = paired_ratio(pairs, level)
        assert ratio is not None
        assert ratio.interval is not None
        seen += not ratio.interval.contains(1)
    assert seen > 180
