"""What each answer does to the results that wait, turn by turn. Pure: chance always takes the highest number."""

import random

from supervisor.engine.backoff import Backoff
from supervisor.worker.outbox import AT_ONCE, Item, Outbox
from supervisor.worker.result_answers import may_have_arrived


class Highest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def outbox_of(count: int) -> Outbox:
    """An outbox with so many results, whose pauses are 1, 2, 4 and then 5 seconds."""
    outbox = Outbox(new_backoff=lambda: Backoff(first_seconds=1.0, longest_seconds=5.0, rng=Highest()))
    for number in range(count):
        outbox.add(number)
    return outbox


def take_all(outbox: Outbox, now: float) -> list[Item]:
    taken: list[Item] = []
    while (item := outbox.take(now)) is not None:
        taken.append(item)
    return taken


def numbers(items: list[Item]) -> list[int]:
    return [item.number for item in items]


def test_a_second_time_is_no_and_a_first_time_is_yes() -> None:
    outbox = outbox_of(0)
    assert (outbox.add(1), outbox.add(1), len(outbox)) == (True, False, 1)


def test_places_are_counted_from_one_in_steps_of_one() -> None:
    assert [item.place for item in take_all(outbox_of(3), 0.0)] == [1, 2, 3]


def test_a_result_is_new_to_the_clock_until_it_has_failed() -> None:
    (item,) = take_all(outbox_of(1), 0.0)
    assert (item.due, item.asked_until) == (0.0, 0.0)


def test_nothing_is_ever_due_where_nothing_waits_or_no_more_may_be_sent() -> None:
    outbox = outbox_of(AT_ONCE + 1)
    assert outbox_of(0).next_time() is None
    assert outbox.next_time() == 0.0
    take_all(outbox, 0.0)
    assert outbox.next_time() is None


def test_a_result_that_is_sent_is_not_taken_again() -> None:
    outbox = outbox_of(1)
    assert numbers(take_all(outbox, 0.0)) == [0]
    assert outbox.take(100.0) is None


def test_a_single_failure_delays_its_own_result_by_its_pauses() -> None:
    outbox = outbox_of(1)
    for now, due in ((0.0, 1.0), (1.0, 3.0), (3.0, 7.0), (7.0, 12.0)):
        (item,) = take_all(outbox, now)
        outbox.failed(item, now, 503, None)
        assert outbox.next_time() == item.due == due
        assert item.asked_until == 0.0


def test_once_the_engine_is_back_all_but_what_it_asked_to_wait_is_due_at_once() -> None:
    outbox = outbox_of(AT_ONCE + 1)
    first, second, *others = take_all(outbox, 0.0)
    outbox.failed(first, 0.0, 503, 60.0)
    outbox.failed(second, 0.5, 503, None)
    for item in others:
        outbox.failed(item, 0.0, 503, None)
    assert (outbox.is_engine_away, second.due) == (True, 1.5)
    (fresh,) = take_all(outbox, 1.0)
    outbox.delivered(fresh)
    assert second.due == 0.0
    assert first.due == first.asked_until >= 60.0


def test_a_wish_of_the_engine_is_remembered_beside_the_pause() -> None:
    outbox = outbox_of(1)
    (item,) = take_all(outbox, 0.0)
    outbox.failed(item, 0.0, 503, 4.0)
    assert item.asked_until == item.due == 8.0  # the wish, and as much again by chance


def test_a_success_while_the_engine_was_taken_for_away_lets_the_others_go_at_once() -> None:
    """Also where it is one of the results for which the engine was taken for away."""
    outbox = outbox_of(AT_ONCE)
    *failing, slow = take_all(outbox, 0.0)
    for item in failing:
        outbox.failed(item, 0.0, 503, None)
    for item in take_all(outbox, 1.0):
        outbox.failed(item, 1.0, 503, None)
    outbox.failed(slow, 1.0, 503, None)
    assert outbox.is_engine_away
    assert numbers(take_all(outbox, 2.0)) == [slow.number]
    assert [item.due for item in failing] == [3.0, 3.0, 3.0]
    outbox.delivered(slow)
    assert not outbox.is_engine_away
    assert numbers(take_all(outbox, 2.0)) == [0, 1, 2]


def test_a_success_while_the_engine_is_there_shortens_no_pause_of_another_result() -> None:
    outbox = outbox_of(2)
    bad, good = take_all(outbox, 0.0)
    outbox.failed(bad, 0.0, 500, None)
    outbox.delivered(good)
    assert outbox.take(0.5) is None
    assert numbers(take_all(outbox, 1.0)) == [0]


def test_the_pauses_for_all_begin_anew_after_a_success() -> None:
    outbox = outbox_of(AT_ONCE + 1)
    now = 0.0
    for _ in range(5):
        for item in take_all(outbox, now):
            outbox.failed(item, now, 503, None)
        now = outbox.next_time() or now
    (probe,) = take_all(outbox, now)
    outbox.delivered(probe)
    for item in take_all(outbox, now):
        outbox.failed(item, now, 503, None)
    assert outbox.is_engine_away
    outbox.add(99)  # has not failed itself, so that only the pause for all holds it up
    assert outbox.next_time() == now + 1.0


def test_failures_of_results_that_were_refused_since_do_not_count() -> None:
    """A refusal is an answer: the engine that gives it is not away."""
    outbox = outbox_of(AT_ONCE)
    failing = take_all(outbox, 0.0)
    for item in failing[:-1]:
        outbox.failed(item, 0.0, 503, None)
    again = outbox.take(1.0)
    assert again is failing[0]
    outbox.refused(again)
    assert len(outbox) == AT_ONCE - 1
    outbox.failed(failing[-1], 1.0, 503, None)
    assert not outbox.is_engine_away


def test_a_refused_result_makes_room_and_can_be_added_anew() -> None:
    outbox = outbox_of(AT_ONCE + 1)
    outbox.refused(take_all(outbox, 0.0)[0])
    assert numbers(take_all(outbox, 0.0)) == [AT_ONCE]
    assert outbox.add(0)


def test_too_many_requests_without_a_wish_holds_up_no_other() -> None:
    outbox = outbox_of(1)
    (item,) = take_all(outbox, 0.0)
    outbox.failed(item, 0.0, 429, None)
    outbox.add(1)
    assert numbers(take_all(outbox, 0.0)) == [1]


def test_another_failure_with_a_wish_holds_up_no_other() -> None:
    outbox = outbox_of(1)
    (item,) = take_all(outbox, 0.0)
    outbox.failed(item, 0.0, 503, 30.0)
    outbox.add(1)
    assert numbers(take_all(outbox, 0.0)) == [1]


def test_a_shorter_pause_for_all_does_not_undo_a_longer_one() -> None:
    outbox = outbox_of(2)
    first, second = take_all(outbox, 0.0)
    outbox.failed(first, 0.0, 429, 50.0)
    outbox.failed(second, 0.0, 429, 10.0)
    assert outbox.take(54.9) is None
    assert numbers(take_all(outbox, 55.0)) == [0, 1]  # the wish, and the longest pause by chance


def test_a_result_that_failed_keeps_its_place() -> None:
    outbox = outbox_of(3)
    items = take_all(outbox, 0.0)
    for item in reversed(items):
        outbox.failed(item, 0.0, 503, None)
    assert numbers(take_all(outbox, 1.0)) == [0, 1, 2]


def test_400_is_a_clear_no() -> None:
    assert [may_have_arrived(status) for status in (399, 400, 499, 500)] == [True, False, False, True]


def test_an_answer_to_another_request_ends_the_pauses_of_what_got_no_answer_and_of_nothing_else() -> None:
    outbox = outbox_of(3)
    silent, busy, wished = take_all(outbox, 0.0)
    outbox.failed(silent, 0.0, None, None)
    outbox.failed(busy, 0.0, 503, None)
    outbox.failed(wished, 0.0, None, 60.0)
    outbox.engine_answers(0.5)
    assert numbers(take_all(outbox, 0.5)) == [0]
    assert outbox.next_time() == busy.due


def test_an_engine_that_was_silent_is_tried_as_soon_as_it_answers_anything() -> None:
    outbox = outbox_of(AT_ONCE)
    for item in take_all(outbox, 0.0):
        outbox.failed(item, 0.0, None, None)
    assert outbox.take(0.5) is None
    outbox.engine_answers(0.5)
    assert numbers(take_all(outbox, 0.5)) == [0], "one, as nobody knows yet whether it takes results"


def test_an_answer_to_another_request_does_not_undo_what_the_engine_has_asked_of_all_results() -> None:
    outbox = outbox_of(3)
    asked, silent, _ = take_all(outbox, 0.0)
    outbox.failed(asked, 0.0, 429, 60.0)
    outbox.failed(silent, 1.0, None, None)
    outbox.add(3)
    outbox.engine_answers(2.0)
    assert outbox.next_time() == 65.0  # the wish, and the longest pause by chance
    assert outbox.take(64.9) is None
    assert numbers(take_all(outbox, 65.0)) == [0, 1, 3]


def test_an_answer_to_another_request_ends_no_pause_of_all_results_that_the_engine_has_asked_for() -> None:
    outbox = outbox_of(AT_ONCE)
    *silent, asked = take_all(outbox, 0.0)
    for item in silent:
        outbox.failed(item, 0.0, None, None)
    outbox.failed(asked, 0.0, 503, 60.0)
    assert outbox.is_engine_away
    outbox.engine_answers(0.5)
    assert outbox.next_time() == 65.0


def hanging(outbox: Outbox, item: Item, now: float) -> None:
    """It has got no answer to the first try nor to the one beside it."""
    item.tries = 2
    outbox.failed(item, now, None, None)


def test_results_that_hang_leave_every_place_to_others() -> None:
    outbox = outbox_of(AT_ONCE)
    for item in take_all(outbox, 0.0):
        hanging(outbox, item, 0.0)
    assert not outbox.is_engine_away, "it has answered something else"
    for number in range(10, 20):
        outbox.add(number)
    assert numbers(take_all(outbox, 60.0)) == [0, 10, 11, 12, 13]


def test_results_that_hang_are_tried_one_at_a_time_each_behind_the_others() -> None:
    outbox = outbox_of(3)
    for item in take_all(outbox, 0.0):
        hanging(outbox, item, 0.0)
    order: list[int] = []
    for turn in range(6):
        now = 60.0 * (turn + 1)
        assert (outbox.next_time() or now) <= now
        (item,) = take_all(outbox, now)
        assert outbox.next_time() is None, "the others wait for it"
        order.append(item.number)
        hanging(outbox, item, now)
    assert order == [0, 1, 2, 0, 1, 2]


def test_a_result_that_hung_and_then_fails_as_others_do_counts_like_them_again() -> None:
    outbox = outbox_of(AT_ONCE)
    items = take_all(outbox, 0.0)
    hanging(outbox, items[0], 0.0)
    (again,) = take_all(outbox, 60.0)
    assert (again, again.tries) == (items[0], 0)
    again.tries = 1
    for item in items:
        outbox.failed(item, 60.0, 503, None)
    assert outbox.is_engine_away
    (probe,) = take_all(outbox, 70.0)
    outbox.delivered(probe)
    assert len(take_all(outbox, 70.0)) == AT_ONCE - 1


def test_a_delivered_result_that_hung_makes_room_for_the_next_that_hangs() -> None:
    outbox = outbox_of(2)
    for item in take_all(outbox, 0.0):
        hanging(outbox, item, 0.0)
    (first,) = take_all(outbox, 60.0)
    outbox.delivered(first)
    assert numbers(take_all(outbox, 60.0)) == [1]
    assert len(outbox) == 1


def test_beside_a_result_of_which_a_try_has_failed_no_other_is_sent_before_its_next_turn() -> None:
    outbox = outbox_of(1)
    (item,) = take_all(outbox, 0.0)
    assert item.is_late(100.0)
    item.has_failed = True
    assert not item.is_late(100.0)
    outbox.failed(item, 0.0, 503, None)
    (item,) = take_all(outbox, 100.0)
    assert item.is_late(100.0), "anew"


def test_no_step_takes_longer_because_a_hundred_thousand_wait() -> None:
    """Counted in comparisons, not in seconds: a scan of all would need as many as there are results."""
    compared = 0

    class Counted(Item):
        def __lt__(self, other: Item) -> bool:
            nonlocal compared
            compared += 1
            return self.place < other.place

    outbox = outbox_of(0)
    for number in range(100_000):
        outbox._make_ready(Counted(number, number, outbox.new_backoff()))
        outbox._numbers.add(number)
    now, compared = 0.0, 0
    for _ in range(200):
        for item in take_all(outbox, now):
            outbox.failed(item, now, 503, None)
        now = outbox.next_time() or now
    assert compared < 200 * 200
    (item,) = take_all(outbox, now)
    compared = 0
    outbox.delivered(item)
    take_all(outbox, now)
    assert compared < 2000


def test_a_large_result_has_more_time_until_the_delivery_counts_as_stuck() -> None:
    outbox = Outbox(longest_try_seconds=75.0)
    outbox.add(0, 8 * 2**20)
    take_all(outbox, 0.0)
    assert outbox.due_at == 75.0 + 2 * 128.0
    outbox.add(1, 100)
    take_all(outbox, 10.0)
    assert outbox.due_at == 10.0 + 75.0 + 2 * 128.0
