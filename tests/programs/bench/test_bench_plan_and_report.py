"""The order of a comparison, and what its table says of the intervals."""

from random import Random
from typing import Any

import pytest

from tests.programs.bench.against.plan import orders, there_and_back
from tests.programs.bench.against.report import FIGURES, Compared, compare, explanation, table

Values = dict[str, float]


def values(**changed: float) -> Values:
    """One side of a pair, every figure at 10 unless it is given."""
    names = {key.replace("_", " "): value for key, value in changed.items()}
    return {figure.key: 10.0 for figure in FIGURES} | names


def compared_with(present: Values, pairs: int = 14) -> dict[str, Compared]:
    return {one.figure.key: one for one in compare([(values(), present)] * pairs)}


@pytest.mark.parametrize("pairs", [1, 2, 7, 14])
def test_each_version_comes_first_in_half_of_the_pairs(pairs: int) -> None:
    for seed in range(20):
        order = list(orders(pairs, Random(seed)))
        assert len(order) == pairs
        assert abs(sum(order) - pairs / 2) <= 0.5


def test_which_one_comes_first_is_drawn_by_lot() -> None:
    assert len({tuple(orders(8, Random(seed))) for seed in range(40)}) > 8


@pytest.mark.parametrize("turns", [2, 4, 40])
def test_there_and_back_gives_both_the_same_place_on_average(turns: int) -> None:
    order = list(there_and_back("a", "b", turns))
    places = {side: [place for place, one in enumerate(order) if one == side] for side in "ab"}
    assert len(places["a"]) == len(places["b"]) == turns
    assert sum(places["a"]) == sum(places["b"])


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"p50": 10.0}, "same"),
        ({"p50": 11.0}, "WORSE"),
        ({"p50": 9.0}, "better"),
        ({"burst_rate": 11.0}, "better"),
        ({"burst_rate": 9.0}, "WORSE"),
        ({"fsyncs": 0.0}, "?"),
    ],
)
def test_more_of_a_rate_is_better_and_more_of_all_else_is_worse(changed: Any, verdict: str) -> None:
    compared = compared_with(values(**changed))
    (key,) = (name.replace("_", " ") for name in changed)
    assert compared[key].verdict == verdict
    assert {one.verdict for name, one in compared.items() if name != key} == {"same"}


def test_the_ratio_is_the_present_version_by_the_other() -> None:
    ratio = compared_with(values(p50=12.0))["p50"].ratio
    assert ratio is not None
    assert ratio.estimate == pytest.approx(1.2)


def test_a_figure_that_one_run_lacks_is_left_out_and_the_others_are_not() -> None:
    lacking = {key: value for key, value in values().items() if key != "memory"}
    keys = [one.figure.key for one in compare([(values(), values()), (values(), lacking)])]
    assert keys == [figure.key for figure in FIGURES if figure.key != "memory"]


def test_table_and_explanation_fit_into_a_hundred_columns() -> None:
    wide = [(values(), dict.fromkeys(values(), 123456.0))] * 14
    text = table("65a9b1e", compare(wide)) + "\n" + explanation(14, len(FIGURES))
    assert max(map(len, text.splitlines())) <= 100


def test_the_explanation_names_the_level_of_the_family_and_that_of_each() -> None:
    text = explanation(14, 12)
    assert "95%" in text
    assert "99.58%" in text


def test_too_few_pairs_are_told_and_nothing_is_judged_by_them() -> None:
    compared = compared_with(values(p50=30.0), pairs=4)
    assert {one.verdict for one in compared.values()} == {"?"}
    assert "4 pairs are too few" in explanation(4, 12)
    assert "too few" not in explanation(9, 12)
