"""Which blocks a poll asks for, and which waiting job may begin, where blocks have slots of their own."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from supervisor.lifecycle.block_slots import may_begin, to_ask_for, wanting_a_slot


@dataclass(frozen=True)
class Named:
    id: str


A, B = Named("a"), Named("b")
COUNTS = st.dictionaries(st.sampled_from("ab"), st.integers(0, 5))


def test_a_block_that_is_full_is_left_out_and_the_others_are_asked_for() -> None:
    assert to_ask_for([A, B], 4, most={"a": 2}, taken={"a": 2, "b": 1}) == ([B], 4)


def test_no_more_jobs_are_asked_for_than_the_fullest_block_takes() -> None:
    assert to_ask_for([A, B], 4, most={"a": 2}, taken={"a": 1}) == ([A, B], 1)
    assert to_ask_for([A, B], 1, most={"a": 3}, taken={}) == ([A, B], 1)


def test_where_no_block_bounds_a_poll_the_blocks_are_not_looked_at() -> None:
    blocks = [A, B]
    assert to_ask_for(blocks, 2, most={"a": 3}, taken={"a": 1})[0] is blocks
    assert to_ask_for(blocks, 0, most={"a": 1}, taken={"a": 1})[0] == [B]


def test_a_block_that_is_not_offered_holds_nobody_back() -> None:
    assert to_ask_for([B], 4, most={"a": 1}, taken={}) == ([B], 4)


def test_where_every_block_is_full_there_is_nothing_to_ask_for() -> None:
    assert to_ask_for([A], 4, most={"a": 1}, taken={"a": 3})[0] == []


def test_polls_that_are_not_answered_yet_count_as_jobs_of_every_block() -> None:
    assert to_ask_for([A, B], 3, most={"a": 3}, taken={"a": 1}, covered=1) == ([A, B], 1)
    assert to_ask_for([A, B], 3, most={"a": 2}, taken={"a": 1}, covered=1) == ([B], 3)


@given(most=st.dictionaries(st.sampled_from("ab"), st.integers(1, 5)), taken=COUNTS, free=st.integers(1, 8))
def test_whatever_the_engine_gives_for_a_poll_no_block_gets_too_many(
    most: dict[str, int], taken: dict[str, int], free: int
) -> None:
    blocks, limit = to_ask_for([A, B], free, most=most, taken=taken)
    for block in blocks:
        assert block.id not in most or taken.get(block.id, 0) + limit <= most[block.id]
    assert not blocks or 1 <= limit <= free


@given(waiting=st.lists(st.sampled_from("ab")), running=COUNTS, most=COUNTS)
def test_the_waiting_jobs_that_want_a_slot_are_those_that_would_begin_one_after_the_other(
    waiting: list[str], running: dict[str, int], most: dict[str, int]
) -> None:
    counted = wanting_a_slot(waiting, most=most, running=running)
    begun = dict(running)
    for block in waiting:
        if may_begin(block, most=most, running=begun):
            begun[block] = begun.get(block, 0) + 1
    assert counted == sum(begun.values()) - sum(running.values())
