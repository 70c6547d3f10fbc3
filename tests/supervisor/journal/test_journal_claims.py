"""The book: what is open, what the file does not have, and what an earlier run or a person adds. Without a disk."""

from dataclasses import replace

from supervisor.journal.claims import Claims
from supervisor.journal.records import Claim, Entry, RowState, StoredResult
from supervisor.journal.row import Row


def claim(job_id: str, at: float = 1.5) -> Claim:
    return Claim(job_id, "p/b:1.0.0", "w-1", at, "d")


def book_with(*job_ids: str) -> tuple[Claims, list[Row]]:
    """A book whose rows the file has."""
    book = Claims()
    rows = book.add([claim(job_id) for job_id in job_ids])
    for row in rows:
        book.saved(row, row.version)
    return book, rows


def numbers(rows: list[Row]) -> list[int]:
    return [row.entry.number for row in rows]


def test_what_changed_is_unsaved_until_the_file_has_that_very_version() -> None:
    book, (first, second) = book_with("a", "b")
    assert book.unsaved() == []
    before = first.version
    book.finish(1, b"r", 2.0)
    book.mark_dead(2, "refused")
    assert numbers(book.unsaved()) == [1, 2]
    book.saved(first, before)  # an older write has come through meanwhile
    assert numbers(book.unsaved()) == [1, 2]
    book.saved(first, first.version)
    book.saved(first, before)  # and one that is older still does not take that back
    assert numbers(book.unsaved()) == [2]
    assert second.entry.dead_reason == "refused"


def test_a_second_result_and_what_is_not_open_change_nothing() -> None:
    book, (row,) = book_with("a")
    assert book.finish(1, b"first", 2.0) is row
    version = row.version
    assert book.finish(1, b"second", 3.0) is None
    assert (row.version, row.entry.result, row.entry.finished_at) == (version, b"first", 2.0)
    assert (book.finish(9, b"", 1.0), book.forget(9), book.mark_dead(9, "x"), book.result(9)) == (None,) * 4


def test_what_is_forgotten_is_gone_at_once_and_its_row_when_the_file_has_removed_it() -> None:
    book, (row,) = book_with("a")
    book.finish(1, b"secret", 2.0)
    book.saved(row, row.version)
    assert book.forget(1) is row
    assert row.entry.result is None
    assert (book.job_ids(), book.undelivered(), book.result(1), book.forget(1)) == (set(), [], None, None)
    assert numbers(book.unsaved()) == [1]
    book.saved(row, row.version - 1)
    assert numbers(book.unsaved()) == [1]
    book.saved(row, row.version)
    assert book.unsaved() == []
    assert book._rows == {}


def test_results_in_memory_only_are_those_that_the_file_does_not_have() -> None:
    book, (first, _, third) = book_with("a", "b", "c")
    book.finish(1, b"r", 2.0)
    book.finish(3, b"r", 2.0)
    book.mark_dead(2, "a claim without a result is no result")
    assert book.results_in_memory_only() == 2
    book.saved(first, first.version)
    assert book.results_in_memory_only() == 1
    book.forget(3)
    assert third.gone
    assert book.results_in_memory_only() == 0


def test_results_wait_in_the_order_in_which_they_were_made() -> None:
    book, _ = book_with("a", "b", "c")
    for number, at in ((3, 2.0), (1, 3.0), (2, 3.0)):
        book.finish(number, b"%d" % number, at)
    assert [result.number for result in book.undelivered()] == [3, 1, 2]
    assert not any(result.earlier for result in book.undelivered())  # nobody can have sent them yet
    assert book.result(3) == StoredResult(3, "c", b"3", earlier=False)
    assert book.interrupted() == []
    book.adopt([Entry(7, claim("old", at=2.5), result=b"7")], 7, set())  # as a journal of version 1 has it
    assert [result.number for result in book.undelivered()] == [3, 7, 1, 2]
    assert book.undelivered()[1] == StoredResult(7, "old", b"7", earlier=True)


def test_a_lost_file_has_nothing_and_nothing_is_left_to_remove_from_it() -> None:
    book, (_, gone) = book_with("a", "b")
    book.forget(2)
    book.lose_file()
    assert book.file == 1
    assert numbers(book.unsaved()) == [1]
    assert gone not in book._rows.values()


def test_of_a_file_that_is_opened_anew_each_row_is_unsaved_that_it_does_not_hold_as_it_is() -> None:
    book, (same, missing, other, older, retried, over) = book_with("a", "b", "c", "d", "e", "f")
    before = older.entry
    for row in (older, retried):
        book.finish(row.entry.number, b"r", 2.0)
        book.mark_dead(row.entry.number, "refused")
        book.saved(row, row.version)
    book.forget(6)
    assert numbers(book.unsaved()) == [6]
    book.compare_with_file(
        [
            same.entry,
            Entry(3, claim("stranger")),
            before,
            # What a person did to it meanwhile, `compare` has to find.
            Entry(5, retried.entry.claim, b"r", 2.0),
            over.entry,
        ]
    )
    assert {row.entry.number for row in book.unsaved()} == {2, 3, 4, 6}
    assert (missing.saved, other.saved, older.saved, retried.saved) == (0, 0, 0, retried.version)
    assert over.gone  # and has to be removed still


def test_entries_of_an_earlier_run_are_adopted_as_the_file_has_them() -> None:
    book = Claims()
    entries = [Entry(4, claim("running")), Entry(6, claim("waiting"), result=b"r", finished_at=1.0)]
    assert book.adopt(entries, 9, {6}) == []
    assert book.interrupted() == [entries[0]]
    assert book.undelivered() == [StoredResult(6, "waiting", b"r", earlier=True)]
    assert numbers(book.unsaved()) == [6]
    assert numbers(book.add([claim("new")])) == [10]
    assert [entry.number for entry in book.interrupted()] == [4]  # the new one runs


def test_numbers_that_were_given_meanwhile_stay_and_the_earlier_entries_get_others() -> None:
    book = Claims()
    (mine,) = book.add([claim("mine")])
    earlier = [Entry(1, claim("a")), Entry(2, claim("b"), result=b"r", finished_at=1.0)]
    assert book.adopt(earlier, 2, set()) == [earlier[0]]
    assert mine.entry.claim.job_id == "mine"
    assert [(entry.number, entry.claim.job_id) for entry in book.interrupted()] == [(3, "a")]
    assert numbers(book.unsaved()) == [1, 3]
    assert [result.number for result in book.undelivered()] == [2]
    assert numbers(book.add([claim("next")])) == [4]


def test_a_dead_letter_whose_replacement_gets_another_number_names_that_one() -> None:
    """The number that it had is another job's by now."""
    book = Claims()
    book.add([claim("mine"), claim("mine too")])
    dead = Entry(1, claim("a"), result=b"r", finished_at=1.0, dead_reason="refused", replaced_by=2)
    earlier = [dead, Entry(2, claim("a"), result=b"smaller", finished_at=1.0)]
    assert book.adopt(earlier, 2, set()) == earlier
    (replacement,) = book.undelivered()
    assert (replacement.number, replacement.text) == (4, b"smaller")
    (letter,) = (row.entry for row in book._rows.values() if row.entry.state == "dead")
    assert (letter.number, letter.replaced_by) == (3, replacement.number)


def test_a_job_that_was_claimed_again_is_not_taken_in_and_has_to_leave_the_file_but_a_dead_letter_stays() -> (
    None
):
    """The engine would take an old result for that of the new try."""
    book = Claims()
    book.add([claim("again")])
    earlier = [
        Entry(5, claim("again")),
        Entry(6, claim("again"), result=b"r", finished_at=1.0),
        Entry(7, claim("other")),
        Entry(8, claim("again"), result=b"dead", finished_at=1.0, dead_reason="refused"),
    ]
    assert book.adopt(earlier, 8, set()) == earlier[:2]
    assert [entry.number for entry in book.interrupted()] == [7]
    assert book.undelivered() == []
    assert book.count() == (3, 1)


def test_a_claim_that_is_set_aside_is_counted_and_is_no_dead_letter_as_there_is_no_result_to_send() -> None:
    book, _ = book_with("set aside", "refused", "running")
    book.mark_dead(1, "another worker may run it")
    book.finish(2, b"r", 2.0)
    book.mark_dead(2, "refused")
    assert book.count() == (3, 1)


def test_what_an_earlier_run_has_of_a_job_that_was_claimed_again_is_over_also_where_the_new_try_is() -> None:
    book = Claims()
    (again,) = book.add([claim("again")])
    book.finish(again.entry.number, b"new", 1.0)
    book.forget(again.entry.number)
    book.saved(again, again.version)
    earlier = [Entry(6, claim("again"), result=b"old", finished_at=1.0)]
    assert book.adopt(earlier, 6, set()) == earlier
    assert book.undelivered() == []


def test_jobs_claimed_after_what_an_earlier_run_has_left_is_known_are_not_noted() -> None:
    """Else a worker that runs for months would grow with each job."""
    book = Claims()
    assert book.adopt([], 0, set()) == []
    book.add([claim("a")])
    assert book._since_the_start is None


def test_numbers_only_grow() -> None:
    book, _ = book_with("a", "b", "c")
    book.numbers_above(1)
    assert numbers(book.add([claim("d")])) == [4]
    book.numbers_above(4)
    assert numbers(book.add([claim("e")])) == [5]
    book.numbers_above(5 + 10)
    assert numbers(book.add([claim("f")])) == [16]


def test_what_a_person_did_to_dead_letters_is_taken_over_and_open_claims_are_written_again() -> None:
    book, (revived, dropped, kept, taken) = book_with("revived", "dropped", "kept", "taken")
    for row in (revived, dropped, kept):
        book.finish(row.entry.number, b"r", 2.0)
        book.mark_dead(row.entry.number, "refused")
        book.saved(row, row.version)
    seen = [RowState(revived.entry.number, False), RowState(kept.entry.number, True)]
    differences = book.compare(seen)
    assert [entry.claim.job_id for entry in differences.revived] == ["revived"]
    assert [entry.claim.job_id for entry in differences.dropped] == ["dropped"]
    assert differences.rewritten == [taken]
    assert not differences.unclear
    assert numbers(book.unsaved()) == [taken.entry.number]
    assert book.job_ids() == {"revived", "kept", "taken"}
    assert book.undelivered() == [StoredResult(1, "revived", b"r", earlier=True)]
    assert revived.earlier


def test_of_a_row_that_is_being_written_nothing_is_concluded() -> None:
    book, (dead, open_one) = book_with("dead", "open")
    book.finish(1, b"r", 2.0)
    book.mark_dead(1, "refused")
    differences = book.compare([RowState(2, False)])
    assert differences.unclear
    assert (differences.dropped, differences.rewritten, differences.revived) == ([], [], [])
    assert book.compare([RowState(1, False), RowState(2, False)]).unclear
    assert dead.entry.state == "dead"
    assert open_one.saved == open_one.version


def test_a_result_that_is_foreseen_is_nobody_s_until_it_is_final_and_gives_way_to_another() -> None:
    claims = Claims()
    same, other, again = claims.add([claim("same"), claim("other"), claim("again")])
    for row in (same, other):
        assert claims.foresee(row.entry.number, b"foreseen", 1.0) is row
    assert claims.undelivered() == []
    assert claims.result(1) is None
    assert claims.finish(1, b"foreseen", 2.0) is None  # the file has it as it is
    assert claims.finish(2, b"final", 2.0) is other
    assert [each.text for each in claims.undelivered()] == [b"foreseen", b"final"]
    claims.finish(3, b"first", 3.0)
    for row in (same, other, again):
        assert claims.foresee(row.entry.number, b"later", 4.0) is None
        assert claims.finish(row.entry.number, b"later", 4.0) is None
    assert [each.text for each in claims.undelivered()] == [b"foreseen", b"final", b"first"]


def test_a_row_that_waits_for_its_result_hides_nothing_of_those_behind_it() -> None:
    book, (wanted, dropped) = book_with("wanted", "dropped")
    for row in (wanted, dropped):
        book.finish(row.entry.number, b"r", 2.0)
        book.mark_dead(row.entry.number, "refused")
        book.saved(row, row.version)
    wanted.entry = replace(wanted.entry, result=None, absent_bytes=1)
    differences = book.compare([RowState(wanted.entry.number, False)])
    assert differences.wanted == [wanted]
    assert [entry.claim.job_id for entry in differences.dropped] == ["dropped"]
