"""What an answer to a result means, and that each row of the documented table is one that is given."""

import pytest

from supervisor.worker import result_answers
from supervisor.worker.result_answers import (
    SMALL_BYTES,
    TABLE,
    TRIES_WHEN_UNCLEAR,
    Meaning,
    Row,
    UnclearRefusals,
    may_have_arrived,
    row_of,
)

ENGINE = "result.data must be an object"
LARGE = SMALL_BYTES + 1

CASES: list[tuple[int | None, str | None, int, Row]] = [
    (201, None, 1, result_answers.DELIVERED),
    (409, "there is one", 1, result_answers.CONFLICT),
    (None, None, 1, result_answers.SILENCE),
    *((status, ENGINE, 1, result_answers.ENGINE_REFUSES) for status in (400, 422)),
    (413, "request entity too large", 1, result_answers.TOO_LARGE),
    (413, None, LARGE, result_answers.TOO_LARGE),
    (413, None, SMALL_BYTES, result_answers.WHO_REFUSES),
    *((status, None, LARGE, result_answers.WHO_REFUSES) for status in (400, 422)),
    *((status, "Job 12 not found", LARGE, result_answers.UNKNOWN_JOB) for status in (400, 413, 422)),
    (400, "Unknown worker", 1, result_answers.UNKNOWN_JOB),
    (400, "The execution with id 4 does not exist", 1, result_answers.UNKNOWN_JOB),
    *((status, ENGINE, 1, result_answers.NOT_ALLOWED) for status in (401, 403, 407)),
    *((status, ENGINE, 1, result_answers.PASSES) for status in (404, 405, 408, 410, 425, 429, 451)),
    *((status, ENGINE, 1, result_answers.SERVER_ERROR) for status in (500, 501, 502, 503, 504, 599)),
    *((status, None, 1, result_answers.NOT_THE_ENGINE) for status in (200, 202, 204, 301, 302, 307)),
]


@pytest.mark.parametrize(("status", "said", "size", "row"), CASES)
def test_an_answer_has_its_row(status: int | None, said: str | None, size: int, row: Row) -> None:
    assert row_of(status, said, size) is row


def test_each_row_of_the_table_is_given_and_has_a_reason() -> None:
    assert {id(row) for *_, row in CASES} == {id(row) for row in TABLE}
    assert all(row.reason.endswith(".") for row in TABLE)


def test_only_400_413_and_422_are_ever_final() -> None:
    final = {
        status
        for status in [None, *range(100, 600)]
        for said in (None, ENGINE, "Job not found")
        for size in (1, LARGE)
        if row_of(status, said, size).meaning in (Meaning.REFUSED, Meaning.UNCLEAR)
    }
    assert final == {400, 413, 422}


def test_only_a_try_without_a_clear_no_may_have_arrived() -> None:
    assert [may_have_arrived(status) for status in (None, 500, 502, 504, 200, 302)] == [True] * 6
    assert [may_have_arrived(status) for status in (408, 425, 429)] == [False] * 3


def test_what_nobody_knows_who_refuses_is_final_only_while_others_are_taken() -> None:
    unclear = UnclearRefusals()
    assert not any(unclear.is_final(1) for _ in range(100)), "a proxy that says no to everything"
    for _ in range(TRIES_WHEN_UNCLEAR - 2):
        unclear.delivered(2)
        assert not unclear.is_final(1)
    unclear.delivered(2)
    assert unclear.is_final(1)


def test_each_result_is_counted_by_itself_and_a_forgotten_one_anew() -> None:
    unclear = UnclearRefusals()
    for _ in range(TRIES_WHEN_UNCLEAR - 1):
        unclear.delivered(9)
        assert not unclear.is_final(1)
        assert not unclear.is_final(2)
    unclear.forget((1,))
    unclear.delivered(9)
    assert not unclear.is_final(1)
    assert unclear.is_final(2)
