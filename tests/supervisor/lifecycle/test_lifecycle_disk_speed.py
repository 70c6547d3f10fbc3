"""A disk is slow when several writes in a row were, and fast again when none was for a while."""

from supervisor.lifecycle.disk_speed import QUIET_SECONDS, SLOW_SECONDS, WRITES, DiskSpeed


def slow_disk() -> DiskSpeed:
    speed = DiskSpeed()
    changes = [speed.wrote(SLOW_SECONDS + number, now=number) for number in range(WRITES)]
    assert changes == [False] * (WRITES - 1) + [True]
    return speed


def test_a_disk_is_slow_when_so_many_writes_in_a_row_were() -> None:
    speed = slow_disk()
    assert speed.is_slow
    assert speed.least_seconds == SLOW_SECONDS
    assert not speed.wrote(SLOW_SECONDS, now=WRITES)  # which is known


def test_a_tenth_of_a_second_is_slow_and_less_is_not() -> None:
    for seconds, is_slow in ((0.1, True), (0.09, False)):
        speed = DiskSpeed()
        for number in range(8):
            speed.wrote(seconds, now=number)
        assert speed.is_slow is is_slow


def test_a_fast_write_among_slow_ones_begins_the_count_anew() -> None:
    speed = DiskSpeed()
    for _ in range(2):
        assert [speed.wrote(SLOW_SECONDS, now=0) for _ in range(WRITES - 1)] == [False] * (WRITES - 1)
        assert not speed.wrote(SLOW_SECONDS - 0.001, now=0)
    assert not speed.is_slow


def test_it_is_fast_again_when_no_write_was_slow_for_a_while() -> None:
    speed = slow_disk()
    last = WRITES - 1
    assert not speed.wrote(0.001, now=last + QUIET_SECONDS - 0.001)
    assert speed.is_slow
    assert not speed.wrote(SLOW_SECONDS, now=last + QUIET_SECONDS)
    assert not speed.wrote(0.001, now=last + 2 * QUIET_SECONDS - 0.001)
    assert speed.wrote(0.001, now=last + 2 * QUIET_SECONDS)
    assert not speed.is_slow


def test_a_disk_that_was_never_slow_does_not_become_fast() -> None:
    assert not DiskSpeed().wrote(0.001, now=2 * QUIET_SECONDS)
