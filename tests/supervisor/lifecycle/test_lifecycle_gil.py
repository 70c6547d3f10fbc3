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


@pytest.mark.parametrize(("turns", "held"), [(3, 0.0), (4, 0.01)])
def test_a_thread_waits_for_the_gil_only_if_it_wakes_four_times_however_short_the_look(
    turns: int, held: float
) -> None:
    assert after(0.01, detector=(0, 0, turns)) == held


@pytest.mark.parametrize(("turns", "held"), [(5, 0.0), (6, 0.1)])
def test_a_thread_waits_for_the_gil_if_it_wakes_a_third_as_often_as_it_could(turns: int, held: float) -> None:
    assert after(0.1, detector=(0, 0, turns)) == held


def test_of_a_thread_that_waits_for_a_processor_fewer_turns_are_expected() -> None:
    assert after(0.2, detector=(0, 0.1, 6)) == 0.2
    assert after(0.2, detector=(0, 0.1, 5)) == 0.0
    assert after(0.2, detector=(0, 9.9, 4)) == 0.2


@pytest.mark.parametrize(("cpu", "held"), [(0.029, 0.1), (0.031, 0.0)])
def test_a_thread_that_runs_for_a_third_of_the_time_does_not_wait(cpu: float, held: float) -> None:
    assert after(detector=(cpu, 0, 19)) == held


def test_what_is_held_is_never_less_than_nothing() -> None:
    assert after(0.1, main=(0, 0.5, 1), detector=(0, 0, 19)) == 0.0


def test_a_main_thread_that_was_seen_only_once_holds_nothing_and_does_not_sleep() -> None:
    now = {number: ThreadSeen(1.0, 1.0, 200) for number in BEFORE if number != MAIN}
    then = {number: seen for number, seen in BEFORE.items() if number != MAIN}
    whole = now | {MAIN: ThreadSeen(1.0, 1.0, 101)}
    assert held_seconds(BEFORE, now, MAIN, 0.1) == 0.0
    assert held_seconds(then, whole, MAIN, 0.1) == 0.0
    assert not sleeps(then, whole, MAIN, 0.1)


def test_a_thread_that_was_born_meanwhile_tells_nothing() -> None:
    now = {**BEFORE, 99: ThreadSeen(0.0, 0.0, 500)}
    assert held_seconds(BEFORE, now, MAIN, 0.1) == 0.0


@pytest.mark.parametrize(("share", "asleep"), [(0.029, True), (0.031, False)])
def test_a_thread_sleeps_that_runs_and_waits_less_than_a_third_of_the_time(
    share: float, asleep: bool
) -> None:
    assert sleeps(BEFORE, {MAIN: ThreadSeen(1.0 + share, 1.0, 103)}, MAIN, 0.1) is asleep
    assert sleeps(BEFORE, {MAIN: ThreadSeen(1.0, 1.0 + share, 103)}, MAIN, 0.1) is asleep


def test_to_the_very_share_a_thread_neither_waits_nor_sleeps() -> None:
    before = {number: ThreadSeen(0.0, 0.0, 0) for number in (MAIN, DETECTOR)}

    def held(detector: ThreadSeen) -> float:
        return held_seconds(before, {MAIN: ThreadSeen(0.0, 0.0, 1), DETECTOR: detector}, MAIN, 1.0)

    assert held(ThreadSeen(0.25, 0.0, 60)) == 1.0
    assert held(ThreadSeen(0.3, 0.0, 60)) == 0.0
    assert not sleeps(before, {MAIN: ThreadSeen(0.3, 0.0, 1)}, MAIN, 1.0)
    assert sleeps(before, {MAIN: ThreadSeen(0.125, 0.125, 1)}, MAIN, 1.0) is True


def test_a_thread_that_waited_for_a_processor_all_the_time_needs_four_turns_and_no_less() -> None:
    assert after(0.2, detector=(0, 0.2, 4)) == 0.2
    assert after(0.2, detector=(0, 0.0, 4)) == 0.0
