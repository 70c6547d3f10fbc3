"""A template that does not answer: slow, stopped or hanging. Only the last two are its fault."""

from supervisor.lifecycle.template_silence import (
    HUNG_SECONDS,
    LOOK_SECONDS,
    Judgement,
    Look,
    Silences,
    TemplateSilence,
)

LONGEST = 20.0


def judged(looks: list[Look], every: float = LOOK_SECONDS) -> list[Judgement]:
    """The judgements of looks, one every so many seconds, until one that ends it."""
    silence, made = TemplateSilence(0.0, LONGEST), []
    for number, look in enumerate(looks, start=1):
        made.append(silence.judge(look, number * every))
        if made[-1] is not Judgement.WAIT:
            break
    return made


def test_a_template_that_is_stopped_at_two_looks_is_replaced() -> None:
    assert judged([Look("T", 7)] * 5) == [Judgement.WAIT, Judgement.REPLACE]
    assert judged([Look("t", 7)] * 5) == [Judgement.WAIT, Judgement.REPLACE]


def test_one_that_was_stopped_for_a_moment_is_waited_for() -> None:
    looks = [Look("T", 1), Look("S", 2), Look("T", 3), Look("R", 4)]
    assert judged(looks) == [Judgement.WAIT] * 4


def test_one_that_does_nothing_at_all_is_given_up_after_its_time() -> None:
    made = judged([Look("S", 7)] * 40)
    assert (made[-1], len(made) * LOOK_SECONDS) == (Judgement.GIVE_UP, HUNG_SECONDS)


def test_one_that_works_or_waits_for_a_core_has_longer() -> None:
    made = judged([Look("R", number) for number in range(40)])
    assert (made[-1], len(made) * LOOK_SECONDS) == (Judgement.GIVE_UP, LONGEST)


def test_where_the_kernel_tells_nothing_it_has_longer_too() -> None:
    made = judged([Look("S", None)] * 40)
    assert (made[-1], len(made) * LOOK_SECONDS) == (Judgement.GIVE_UP, LONGEST)


def test_the_last_look_is_at_the_end() -> None:
    silence = TemplateSilence(100.0, 2.5)
    assert [silence.next_look_seconds(now) for now in (100.0, 101.0, 102.0, 103.0)] == [1.0, 1.0, 0.5, 0.0]


def test_the_second_silence_in_a_row_replaces_it() -> None:
    silences = Silences()
    assert [silences.given_up(0.0, 10.0), silences.given_up(10.2, 20.2)] == [False, True]


def test_silences_at_the_same_time_are_one() -> None:
    silences = Silences()
    assert [silences.given_up(asked, asked + 10.0) for asked in (0.0, 0.1, 0.2)] == [False] * 3


def test_a_child_that_became_ready_between_two_silences_makes_the_second_a_first_one() -> None:
    silences = Silences()
    silences.given_up(0.0, 10.0)
    silences.answered()
    assert not silences.given_up(11.0, 21.0)


def test_a_time_in_which_the_worker_itself_stood_still_does_not_count() -> None:
    """The template stood still with it, for example on a machine that was paused: it has done nothing meanwhile."""
    silence, now, made = TemplateSilence(0.0, LONGEST), 0.0, []
    for stood_still in (0.0, 60.0, 0.0, 60.0, *[0.0] * 40):
        now += silence.next_look_seconds(now) + stood_still
        made.append(silence.judge(Look("S", 7), now))
        if made[-1] is not Judgement.WAIT:
            break
    assert (made[-1], now) == (Judgement.GIVE_UP, 120.0 + HUNG_SECONDS)


def test_after_a_standstill_at_the_end_of_its_time_it_has_a_moment_to_answer() -> None:
    silence = TemplateSilence(0.0, 0.5)
    now = silence.next_look_seconds(0.0) + 60.0
    assert silence.judge(Look("S", 7), now) is Judgement.WAIT
    now += silence.next_look_seconds(now)
    assert (silence.judge(Look("S", 7), now), now) == (Judgement.GIVE_UP, 60.5 + LOOK_SECONDS)


def test_a_loop_that_is_late_at_each_look_gives_up_too() -> None:
    silence, now, looks = TemplateSilence(0.0, LONGEST), 0.0, 1
    now += silence.next_look_seconds(now) + 2.0
    while silence.judge(Look("S", looks), now) is Judgement.WAIT and looks < 1000:
        now += silence.next_look_seconds(now) + 2.0
        looks += 1
    assert looks <= 2 * LONGEST / LOOK_SECONDS
