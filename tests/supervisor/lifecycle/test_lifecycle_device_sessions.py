"""Sessions on devices: never more than the limit, in the order in which they were asked for, none lost."""

import random

from supervisor.lifecycle.device_sessions import MOST_COUNTED, DeviceSessions, Granted

R1, R2 = "r1 port 22", "r2 port 22"


def test_what_is_asked_for_beyond_the_limit_is_granted_in_order_when_others_give_back() -> None:
    sessions = DeviceSessions(2)
    assert sessions.ask(1, 1, R1) == [Granted(1, 1)]
    assert sessions.ask(1, 2, R1) == [Granted(1, 2)]
    assert sessions.ask(2, 1, R1) == []
    assert sessions.ask(3, 1, R1) == []
    assert sessions.give_back(1, 2) == [Granted(2, 1)]
    assert sessions.give_back(1, 1) == [Granted(3, 1)]


def test_each_device_has_a_limit_of_its_own() -> None:
    sessions = DeviceSessions(1)
    assert sessions.ask(1, 1, R1) == [Granted(1, 1)]
    assert sessions.ask(1, 2, R2) == [Granted(1, 2)]


def test_a_job_that_ends_gives_all_back_and_is_itself_answered_no_more() -> None:
    sessions = DeviceSessions(1)
    sessions.ask(1, 1, R1)
    sessions.ask(1, 2, R1)
    sessions.ask(1, 3, R2)
    sessions.ask(2, 1, R1)
    sessions.ask(2, 2, R2)
    assert sorted(sessions.end(1), key=lambda each: each.number) == [Granted(2, 1), Granted(2, 2)]
    assert sessions.end(1) == []


def test_who_gives_up_waiting_is_passed_over() -> None:
    sessions = DeviceSessions(1)
    sessions.ask(1, 1, R1)
    sessions.ask(2, 1, R1)
    sessions.ask(3, 1, R1)
    assert sessions.give_back(2, 1) == []
    assert sessions.give_back(1, 1) == [Granted(3, 1)]


def test_a_job_that_wants_nothing_more_is_passed_over_and_keeps_what_it_has() -> None:
    sessions = DeviceSessions(1)
    sessions.ask(1, 1, R1)
    sessions.ask(2, 1, R2)
    sessions.ask(2, 2, R1)
    sessions.ask(2, 3, R1)
    sessions.ask(3, 1, R1)
    sessions.ask(3, 2, R2)
    assert sessions.withdraw(2) == []
    assert sessions.withdraw(4) == []
    assert sessions.give_back(1, 1) == [Granted(3, 1)]
    assert sessions.end(2) == [Granted(3, 2)]


def test_nothing_is_kept_of_a_device_to_which_nobody_has_or_wants_a_session() -> None:
    sessions = DeviceSessions(1)
    sessions.ask(1, 1, R1)
    sessions.ask(2, 1, R1)
    sessions.give_back(2, 1)
    assert set(sessions._devices) == {R1}
    sessions.end(1)
    assert not sessions._devices


def test_without_a_limit_everybody_is_answered_at_once() -> None:
    sessions = DeviceSessions(0)
    assert [sessions.ask(1, number, R1) for number in range(1, 100)] == [
        [Granted(1, number)] for number in range(1, 100)
    ]


def test_a_higher_limit_answers_who_waits_and_a_lower_one_ends_nothing() -> None:
    sessions = DeviceSessions(1)
    for job in (1, 2, 3):
        sessions.ask(job, 1, R1)
    assert sessions.set_limit(2) == [Granted(2, 1)]
    assert sessions.set_limit(1) == []
    assert sessions.give_back(1, 1) == []
    assert sessions.give_back(2, 1) == [Granted(3, 1)]


def test_what_makes_no_sense_changes_nothing() -> None:
    sessions = DeviceSessions(1)
    assert sessions.give_back(1, 1) == []
    sessions.ask(1, 1, R1)
    assert sessions.ask(1, 1, R2) == []
    sessions.ask(2, 1, R1)
    assert sessions.give_back(1, 7) == []
    assert sessions.give_back(1, 1) == [Granted(2, 1)]
    assert sessions.give_back(1, 1) == []


def test_a_job_that_asks_without_end_is_counted_up_to_a_number_and_harms_no_other() -> None:
    sessions = DeviceSessions(1)
    for number in range(1, MOST_COUNTED + 1):
        sessions.ask(1, number, f"device {number}")
    assert sessions.ask(1, MOST_COUNTED + 1, "device 1") == [Granted(1, MOST_COUNTED + 1)]
    assert sessions.give_back(1, MOST_COUNTED + 1) == []
    assert sessions.ask(2, 1, "device 1") == []
    assert sessions.give_back(1, 1) == [Granted(2, 1)]


def test_at_any_order_of_events_no_device_is_over_its_limit_and_nobody_waits_for_a_free_place() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        limit = rng.randint(1, 3)
        sessions = DeviceSessions(limit)
        asked: dict[Granted, str] = {}
        granted: set[Granted] = set()
        for step in range(60):
            job, number = rng.randint(1, 3), rng.randint(1, 6)
            key = Granted(job, number)
            match rng.randrange(5):
                case 0:
                    gone = {each for each in asked if each.job == job}
                    answered = sessions.end(job)
                case 1:
                    gone = {key} & asked.keys()
                    answered = sessions.give_back(job, number)
                case _:
                    gone = set()
                    asked.setdefault(key, rng.choice((R1, R2)))
                    answered = sessions.ask(job, number, asked[key])
            for each in gone:
                del asked[each]
            granted = (granted - gone) | set(answered)
            assert granted <= asked.keys(), (seed, step)
            for device in (R1, R2):
                wanted = sum(each == device for each in asked.values())
                have = sum(asked[each] == device for each in granted)
                assert have == min(limit, wanted), (seed, step)
