"""The count of deaths: what begins a quarantine, what it refuses, and what ends it."""

from dataclasses import replace

import pytest

from supervisor.lifecycle.quarantine import (
    DEADLY,
    DEATHS,
    MOST_JOBS,
    QUARANTINE_SECONDS,
    JobFingerprint,
    Quarantine,
    crash_summary,
)
from supervisor.verdict import Cause, Ending, ExitStatus, Usage
from supervisor.verdict.refusals import Quarantined, quarantine_text

JOB = JobFingerprint("acme/crash:1.0.0", "execute", 7, "digest")
SIGSEGV = "signal SIGSEGV"


def die(quarantine: Quarantine, *times: float, job: JobFingerprint = JOB) -> Quarantined | None:
    begun = None
    for at in times:
        begun = quarantine.ended(job, Cause.CRASHED, SIGSEGV, at)
    return begun


def test_the_third_death_begins_a_quarantine_of_an_hour() -> None:
    quarantine = Quarantine()
    assert die(quarantine, 0, 10) is None
    assert quarantine.refusal(JOB, 11) is None
    assert die(quarantine, 20) == Quarantined((SIGSEGV,) * 3, QUARANTINE_SECONDS)
    assert quarantine.refusal(JOB, 20 + QUARANTINE_SECONDS - 1) == Quarantined((SIGSEGV,) * 3, 1)


def test_after_the_hour_the_job_is_run_and_counted_anew() -> None:
    quarantine = Quarantine()
    die(quarantine, 0, 10, 20)
    after = 20 + QUARANTINE_SECONDS
    assert quarantine.refusal(JOB, after) is None
    assert len(quarantine) == 0
    assert die(quarantine, after, after + 1) is None


def test_the_quarantine_begins_once_and_a_death_of_one_that_still_ran_does_not_prolong_it() -> None:
    quarantine = Quarantine()
    die(quarantine, 0, 1, 2)
    assert die(quarantine, 100) is None
    assert quarantine.refusal(JOB, 100) == Quarantined((SIGSEGV,) * 3, QUARANTINE_SECONDS - 98)


def test_deaths_older_than_an_hour_are_forgotten() -> None:
    quarantine = Quarantine()
    assert die(quarantine, 0, 1000, QUARANTINE_SECONDS) is None
    assert die(quarantine, QUARANTINE_SECONDS + 1) is not None


def test_a_success_clears_the_count() -> None:
    quarantine = Quarantine()
    die(quarantine, 0, 1)
    quarantine.ended(JOB, Cause.COMPLETED, "exit code 0", 2)
    assert die(quarantine, 3, 4) is None
    assert die(quarantine, 5) is not None


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in DEADLY | {Cause.COMPLETED}])
def test_no_other_end_counts_or_clears(cause: Cause) -> None:
    quarantine = Quarantine()
    for at in range(DEATHS):
        assert quarantine.ended(JOB, cause, "", at) is None
    assert (quarantine.refusal(JOB, 9), len(quarantine)) == (None, 0)
    die(quarantine, 10, 11)
    quarantine.ended(JOB, cause, "", 12)
    assert die(quarantine, 13) is not None


@pytest.mark.parametrize("cause", sorted(DEADLY))
def test_crashes_exits_and_memory_count(cause: Cause) -> None:
    quarantine = Quarantine()
    quarantined = [quarantine.ended(JOB, cause, "how", at) for at in range(DEATHS)]
    assert [each is None for each in quarantined] == [True, True, False]


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, block_id="acme/crash:1.0.1"),
        replace(JOB, job_type="rollback"),
        replace(JOB, entity_id=8),
        replace(JOB, digest="other"),
    ],
)
def test_only_the_same_work_is_refused(other: JobFingerprint) -> None:
    quarantine = Quarantine()
    die(quarantine, 0, 1, 2)
    assert quarantine.refusal(other, 3) is None
    assert die(quarantine, 3, 4, job=other) is None


def test_memory_is_bounded_and_the_job_that_died_longest_ago_is_forgotten() -> None:
    quarantine = Quarantine()
    die(quarantine, 0, 1, 2)
    for number in range(2 * MOST_JOBS):
        die(quarantine, 3, job=replace(JOB, entity_id=number + 100))
        assert len(quarantine) <= MOST_JOBS + 1
    assert quarantine.refusal(JOB, 4) is None


def test_the_last_death_counts_for_what_is_forgotten_and_no_more_is_than_must_be() -> None:
    quarantine = Quarantine()
    first, second = replace(JOB, entity_id=1), replace(JOB, entity_id=2)
    die(quarantine, 0, job=first)
    die(quarantine, 1, job=second)
    die(quarantine, 2, job=first)
    for number in range(MOST_JOBS - 1):
        die(quarantine, 3, job=replace(JOB, entity_id=number + 100))
    assert len(quarantine) == MOST_JOBS
    assert die(quarantine, 4, job=first) is not None, "two of its deaths were forgotten"
    assert len(quarantine) == MOST_JOBS


def test_what_is_older_than_an_hour_takes_no_memory() -> None:
    quarantine = Quarantine()
    for number in range(50):
        die(quarantine, 0, job=replace(JOB, entity_id=number))
    die(quarantine, QUARANTINE_SECONDS + 1)
    assert len(quarantine) == 1


def test_the_refusal_says_how_often_of_what_how_long_and_what_to_do() -> None:
    text = quarantine_text("acme/crash:1.0.0", Quarantined((SIGSEGV, "exit code 3", SIGSEGV), 1800))
    for said in (
        "acme/crash:1.0.0",
        "3 times",
        SIGSEGV,
        "exit code 3",
        "30 min",
        "Correct the block",
        "restart",
    ):
        assert said in text


def test_a_death_is_told_by_its_status_and_one_of_memory_as_such() -> None:
    ending = Ending(Usage(1.0), exit_status=ExitStatus(signal_name="SIGKILL"))
    assert crash_summary(Cause.CRASHED, ending) == "signal SIGKILL"
    assert crash_summary(Cause.MEMORY_LIMIT, ending) == "too much memory"


def test_a_death_is_an_hour_old_after_an_hour() -> None:
    quarantine = Quarantine()
    die(quarantine, 0, job=replace(JOB, entity_id=1))
    die(quarantine, QUARANTINE_SECONDS - 1)
    assert len(quarantine) == 2
    die(quarantine, QUARANTINE_SECONDS)
    assert len(quarantine) == 1


@pytest.mark.parametrize(("seconds", "minutes"), [(3600, "60 min"), (90, "2 min"), (10, "1 min")])
def test_the_refusal_says_how_many_minutes_are_left_and_at_least_one(seconds: float, minutes: str) -> None:
    assert f"for the next {minutes}." in quarantine_text("p/b:1.0.0", Quarantined((SIGSEGV,), seconds))
