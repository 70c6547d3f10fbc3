"""Which result is sent next, and when. Pure: the clock is a number."""

import random

import pytest

from supervisor.engine.backoff import LONGEST_RETRY_AFTER_SECONDS, Backoff
from supervisor.worker.outbox import AT_ONCE, LONGEST_PAUSE_SECONDS, Item, Outbox


@pytest.fixture
def outbox() -> Outbox:
    rng = random.Random(1)
    return Outbox(new_backoff=lambda: Backoff(longest_seconds=LONGEST_PAUSE_SECONDS, rng=rng))


def take_all(outbox: Outbox, now: float) -> list[Item]:
    taken: list[Item] = []
    while (item := outbox.take(now)) is not None:
        taken.append(item)
    return taken


def numbers(items: list[Item]) -> list[int]:
    return [item.number for item in items]


def test_results_are_sent_in_their_order_four_at_a_time(outbox: Outbox) -> None:
    for number in range(10):
        assert outbox.add(number)
    first = take_all(outbox, 0.0)
    assert numbers(first) == [0, 1, 2, 3]
    outbox.delivered(first[1])
    assert numbers(take_all(outbox, 0.0)) == [4]


def test_a_result_is_there_once(outbox: Outbox) -> None:
    assert outbox.add(1)
    assert not outbox.add(1)
    (item,) = take_all(outbox, 0.0)
    assert not outbox.add(1)
    outbox.delivered(item)
    assert len(outbox) == 0
    assert outbox.add(1)


def test_one_that_the_engine_chokes_on_holds_up_no_other(outbox: Outbox) -> None:
    outbox.add(0)
    bad = outbox.take(0.0)
    assert bad is not None
    outbox.failed(bad, 0.0, 500, 60.0)
    outbox.add(1)
    assert numbers(take_all(outbox, 0.0)) == [1]
    due = outbox.next_time()
    assert due is not None
    assert 60.0 <= due <= 60.0 + LONGEST_PAUSE_SECONDS
    assert numbers(take_all(outbox, due)) == [0]


def test_an_engine_that_is_away_gets_one_request_at_a_time_with_pauses_however_many_wait(
    outbox: Outbox,
) -> None:
    """A thousand results must not become a thousand requests."""
    for number in range(1000):
        outbox.add(number)
    now, requests, at_once = 0.0, 0, 0
    while now < 600:
        taken = take_all(outbox, now)
        at_once = max(at_once, len(taken) if now > 0 else 0)
        requests += len(taken)
        for item in taken:
            outbox.failed(item, now, None, None)
        due = outbox.next_time()
        assert due is not None
        assert due > now
        now = due
    assert at_once == 1
    assert requests < 600  # about one in half the longest pause, and the quick ones of the beginning
    assert requests > 100


def test_after_an_absence_results_go_in_their_order_and_within_the_longest_pause(outbox: Outbox) -> None:
    for number in range(20):
        outbox.add(number)
    now = 0.0
    while now < 100:
        for item in take_all(outbox, now):
            outbox.failed(item, now, 503, None)
        now = outbox.next_time() or now
    back, order, taken = now, [], take_all(outbox, now)
    assert len(taken) == 1  # the one that finds out
    while taken:
        for item in taken:
            order.append(item.number)
            outbox.delivered(item)
        taken = take_all(outbox, now)
    assert sorted(order) == list(range(20))
    assert order[1:] == sorted(order[1:])
    assert back <= 100 + LONGEST_PAUSE_SECONDS


def test_four_results_that_the_engine_chokes_on_do_not_hold_up_a_fifth(outbox: Outbox) -> None:
    for number in range(AT_ONCE):
        outbox.add(number)
    now = 0.0
    for _ in range(50):
        for item in take_all(outbox, now):
            outbox.failed(item, now, 500, None)
        now = outbox.next_time() or now
    assert outbox.is_engine_away  # as far as anybody can tell
    outbox.add(99)
    item = outbox.take(now)
    assert item is not None
    assert item.number == 99
    outbox.delivered(item)
    assert not outbox.is_engine_away


def test_too_many_requests_is_said_to_this_worker_and_not_to_one_result(outbox: Outbox) -> None:
    outbox.add(0)
    item = outbox.take(0.0)
    assert item is not None
    outbox.failed(item, 0.0, 429, 30.0)
    outbox.add(1)
    assert take_all(outbox, 29.0) == []
    due = outbox.next_time()
    assert due is not None
    assert 30.0 <= due <= 30.0 + LONGEST_PAUSE_SECONDS
    assert numbers(take_all(outbox, due)) == [0, 1]


def test_the_engines_wish_is_kept_after_an_absence_too(outbox: Outbox) -> None:
    for number in range(AT_ONCE + 1):
        outbox.add(number)
    for item in take_all(outbox, 0.0):
        outbox.failed(item, 0.0, 503, 90.0 if item.number == 0 else None)
    now = outbox.next_time()
    assert now is not None
    item = outbox.take(now)
    assert item is not None
    outbox.delivered(item)
    assert 0 not in numbers(take_all(outbox, now))
    assert 0 in numbers(take_all(outbox, 90.0 + LONGEST_PAUSE_SECONDS))


def test_a_wish_without_end_is_not_granted() -> None:
    backoff = Backoff(longest_seconds=1.0)
    assert backoff.next_pause(1e9) <= LONGEST_RETRY_AFTER_SECONDS + backoff.longest_seconds


def test_pauses_differ_between_workers_that_lost_their_engine_together() -> None:
    pauses = {round(Backoff(first_seconds=5, longest_seconds=5).next_pause(), 2) for _ in range(100)}
    assert len(pauses) > 50
    assert max(pauses) - min(pauses) > 3
