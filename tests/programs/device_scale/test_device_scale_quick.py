"""The measurement in short: it measures what it says. `make device-scale` asks fifty devices, and looks at times."""

import asyncio

from tests.programs.device_scale.emulation import Emulation, emulated
from tests.programs.device_scale.measuring import Measured, figures, measure_beside_hung, measure_scale


def test_every_device_answers_and_those_that_hang_are_no_answer() -> None:
    with emulated(3, 2) as emulation:
        measured = asyncio.run(measure_scale(emulation, rounds=1))
        beside_hung = asyncio.run(measure_beside_hung(emulation, timeout_seconds=5))
    assert measured.sessions == 3
    # Four commands of 50 ms, and a login.
    assert min(measured.alone, measured.together, beside_hung) > 0.2
    assert beside_hung < 5
    assert emulation.cpu_seconds > 0


def test_the_ratio_is_of_as_many_rounds_as_the_limit_makes_and_a_figure_over_its_target_is_not_met() -> None:
    measured = Measured(alone=0.5, together=2.4, cpu=1.0, sessions=50)
    assert (measured.ideal, measured.ratio) == (2.0, 1.2)
    emulation = Emulation([], [], cpu_seconds=1.0)
    assert [each.met for each in figures(measured, 1.0, emulation, 64) if each.target] == [True, True]
    slower = Measured(alone=0.5, together=2.5, cpu=1.0, sessions=50)
    assert [each.met for each in figures(slower, 1.01, emulation, 64) if each.target] == [False, False]
