"""Who holds the GIL, judged by how often threads wake up."""

import pytest

from supervisor.lifecycle.gil import ThreadSeen, held_seconds, sleeps

MAIN, DETECTOR, WORKER = 10, 11, 12
BEFORE = {number: ThreadSeen(1.0, 1.0, 100) for number in (MAIN, DETECTOR, WORKER)}


def after(seconds: float = 0.1, **threads: tuple[float, float, int]) -> float:
    """What is held by the main thread after this much (cpu, queued, turns) of each; the others sleep."""
    numbers = {"main": MAIN, "detector": DETECTOR, "worker": WORKER}
    more = {numbers[name]: given for name, given in threads.items()}
    now = {
        number: ThreadSeen(
            *(old + new for old, new in zip((1.0, 1.0, 100), more.get(number, (0, 0, 0)), strict=True))
        )
        for number in BEFORE
    }
    return held_seconds(BEFORE, now, MAIN, seconds)


def test_a_main_thread_that_computes_or_sleeps_while_another_waits_for_the_gil_holds_it() -> None:
    assert after(main=(0.1, 0, 3), detector=(0.002, 0, 19)) == pytest.approx(0.1)
    assert after(detector=(0.002, 0, 19)) == pytest.approx(0.1)


def test_what_the_main_thread_waited_for_a_processor_is_taken_off() -> None:
    assert after(main=(0.04, 0.06, 3), detector=(0.002, 0.07, 5)) == pytest.approx(0.04)


@pytest.mark.parametrize(
    "threads",
    [
        pytest.param({}, id="all sleep, or the process is stopped"),
        pytest.param({"main": (0.1, 0, 3), "detector": (0, 0, 1)}, id="the detector gets its turn"),
        pytest.param(
            {"main": (0, 0, 19), "detector": (0, 0, 19), "worker": (0.1, 0, 1)}, id="a thread holds it"
        ),
        pytest.param({"worker": (0.08, 0, 40)}, id="a thread that is busy"),
    ],
)
def test_nothing_is_held_by_the_main_thread_where(threads: dict[str, tuple[float, float, int]]) -> None:
    assert after(**threads) == 0


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert held_seconds(BEFORE, {}, MAIN, 0.1) == held_seconds({}, BEFORE, MAIN, 0.1) == 0


@pytest.mark.parametrize(
    ("cpu", "queued", "asleep"),
    [
        pytest.param(0.001, 0, True, id="in a system call"),
        pytest.param(0.1, 0, False, id="computes"),
        pytest.param(0.02, 0.07, False, id="computes whenever it gets a processor"),
    ],
)
def test_a_thread_sleeps_that_neither_computes_nor_waits_for_a_processor(
    cpu: float, queued: float, asleep: bool
) -> None:
    now = {MAIN: ThreadSeen(1.0 + cpu, 1.0 + queued, 103)}
    assert sleeps(BEFORE, now, MAIN, 0.1) is asleep


def test_a_process_that_is_gone_does_not_sleep() -> None:
    assert not sleeps(BEFORE, {}, MAIN, 0.1)
