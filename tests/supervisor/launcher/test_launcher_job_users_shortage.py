"""Cleaning up after a job user where the machine has no descriptor or thread left: later, and never not at all."""

import asyncio
import errno
import os
import resource
from pathlib import Path

import pytest

from supervisor.launcher import job_users as job_users_module
from supervisor.launcher import user_leftovers as user_leftovers_module
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.user_leftovers import remove_leftovers
from supervisor.log.events.processes import JobUserLost, JobUserRestored, JobUserWaiting
from tests.log_events import facts_of
from tests.patience import PATIENCE_SECONDS, until

USER = 3_000_000_001
SHORTAGES = [OSError(errno.EMFILE, "no descriptor"), RuntimeError("can't start new thread")]


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What the next cleanings raise."""
    waiting: list[Exception] = []

    def clean(*_: object) -> str:
        if waiting:
            raise waiting.pop()
        return ""

    monkeypatch.setattr(job_users_module, "_clean_up_after", clean)
    monkeypatch.setattr(job_users_module, "_TRY_AGAIN_SECONDS", 0.001)
    return waiting


@pytest.mark.parametrize("error", SHORTAGES)
async def test_a_user_is_cleaned_up_after_again_until_the_machine_can_and_this_is_said_once(
    problems: list[Exception], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    problems.extend([error] * 3)
    users = JobUsers([USER])
    users.give_back(await users.take())
    await until(lambda: users._free)
    (record,) = caplog.records
    assert (record.event, record.levelname) == (JobUserWaiting.name, "WARNING")
    assert facts_of(record) == {"user": USER, "reason": str(error)}


async def test_what_is_no_shortage_sets_the_user_aside_at_once_and_until_it_is_clean(
    problems: list[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    problems.extend([ValueError("a mistake of ours")] * 3)
    users = JobUsers([USER])
    users.give_back(await users.take())
    await until(lambda: users._free)
    aside, restored = caplog.records
    assert (aside.event, aside.levelname) == (JobUserLost.name, "CRITICAL")
    assert facts_of(aside) == {"user": USER, "reason": "ValueError('a mistake of ours')"}
    assert restored.event == JobUserRestored.name
    assert facts_of(restored)["user"] == USER
    assert not problems


async def test_the_end_of_the_worker_waits_for_no_user_that_is_set_aside(
    problems: list[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(job_users_module, "_TRY_AGAIN_SECONDS", 3600.0)
    problems.extend([ValueError("a mistake of ours")] * 3)
    users = JobUsers([USER])
    users.give_back(await users.take())
    await until(lambda: caplog.records)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await users.close()
    assert not users._free
    assert len(problems) == 1  # once more at the end


async def test_what_an_earlier_run_has_left_is_gone_before_a_job_can_get_the_user(
    tmp_path: Path, problems: list[Exception]
) -> None:
    (tmp_path / "left").touch()
    users = JobUsers([os.geteuid(), USER], [str(tmp_path)])
    await users.clear_before_use()
    assert not (tmp_path / "left").exists()
    assert list(users._free) == [os.geteuid(), USER]


def test_of_very_many_files_a_part_is_removed_and_the_user_is_not_called_clean_until_all_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_leftovers_module, "_MOST_REMOVED", 40)
    # The user is that of the tests: every child of this process is its.
    monkeypatch.setattr(job_users_module, "direct_children", set)
    for number in range(100):
        (tmp_path / str(number)).touch()
    left: list[int] = []
    while problem := job_users_module._clean_up_after(os.geteuid(), [str(tmp_path)]):
        assert problem == f"what it left is not removed yet: more in {tmp_path}."
        left.append(len(os.listdir(tmp_path)))
    assert left == [60, 20]
    assert not os.listdir(tmp_path)


def test_where_others_have_very_many_files_the_user_is_not_called_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_leftovers_module, "_MOST_SEEN", 9)
    for number in range(10):
        (tmp_path / str(number)).touch()
    assert remove_leftovers({USER}, [str(tmp_path)]) == [f"more in {tmp_path}"]
    (tmp_path / "0").unlink()
    assert remove_leftovers({USER}, [str(tmp_path)]) == []


async def test_the_end_of_the_worker_waits_for_no_shortage(
    problems: list[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_users_module, "_TRY_AGAIN_SECONDS", 3600.0)
    problems.extend(SHORTAGES * 2)
    users = JobUsers([USER])
    users.give_back(await users.take())
    await until(lambda: len(problems) < 4)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await users.close()


def test_a_place_that_can_not_be_looked_into_for_want_of_a_descriptor_is_not_taken_for_empty(
    tmp_path: Path,
) -> None:
    (tmp_path / "left").touch()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            remove_leftovers({os.geteuid()}, [str(tmp_path)])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert remove_leftovers({os.geteuid()}, [str(tmp_path), str(tmp_path / "none")]) == []
    assert not (tmp_path / "left").exists()
