"""Which parts of the worker are late."""

from supervisor.lifecycle.progress import Late, Part, Stall, late_parts


def test_a_part_is_late_only_when_its_time_is_over() -> None:
    parts = [Part("early", 12.0), Part("on time", 10.0), Part("late", 7.0), Part("later", 1.0)]
    assert late_parts(parts, 10.0) == (Late("late", 3.0), Late("later", 9.0))


def test_a_part_that_has_nothing_to_do_is_never_late() -> None:
    assert late_parts([Part("idle", None)], 1e9) == ()


def test_what_people_read_names_the_part_and_by_how_much_it_is_late() -> None:
    assert str(Late("the poller", 3.4)) == "the poller (3 s late)"


def test_a_part_that_was_due_about_the_end_of_a_standstill_has_some_seconds() -> None:
    """It could not move on either while the loop stood still: a moment after that proves nothing."""
    stall = Stall(ended_at=100.0, seconds=60.0)
    for due_at, late_from in (
        (50.0, 110.0),
        (99.9, 159.9),
        (100.0, 105.0),
        (100.1, 105.0),
        (104.9, 105.0),
        (120.0, 120.0),
    ):
        assert late_parts([Part("part", due_at)], late_from, stall) == ()
        assert late_parts([Part("part", due_at)], late_from + 1.0, stall) != ()
