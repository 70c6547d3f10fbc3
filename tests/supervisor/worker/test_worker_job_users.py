"""Whether a job's user can be given anything in the state directory: found out by trying, and said in one sentence."""

import asyncio
import errno
import grp
import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from supervisor.commands.doctor import users
from supervisor.errors import StartRefusedError, WrongSettingError
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker import job_users
from supervisor.worker.job_users import (
    prepare_job_users,
    refusal_to_give,
    refuse_numbers_in_use,
    take_numbers,
)


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def chown(path: str, user: int, group: int) -> None:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(os, "chown", chown)


def test_where_it_can_nothing_is_said_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[int] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append(user))
    assert refusal_to_give(tmp_path, 200000) is None
    assert given == [200000]
    assert list(tmp_path.iterdir()) == []


def test_a_directory_of_a_user_that_exists_only_for_the_service_is_told_from_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refuse(monkeypatch, errno.EOVERFLOW)
    refusal = refusal_to_give(tmp_path, 200000)
    assert refusal is not None
    assert "DynamicUser=no" in refusal.reason
    refuse(monkeypatch, errno.EPERM)
    refusal = refusal_to_give(tmp_path, 200000)
    assert refusal is not None
    assert refusal.reason == f"Nothing in {tmp_path} can be given to user 200000: Operation not permitted."
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_so_before_the_worker_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refuse(monkeypatch, errno.EOVERFLOW)
    monkeypatch.setattr(users, "problems_of_job_users", lambda settings, *, spares: [])
    settings = SimpleNamespace(job_users="200000-200003", spares=1, state_dir=tmp_path)
    finding = users.job_users(cast(DaemonSettings, settings))
    assert "DynamicUser=no" in str(finding)
    assert "can be given to user 200000" in str(finding)


async def test_too_few_users_are_a_wrong_setting_which_systemd_does_not_try_again(tmp_path: Path) -> None:
    settings = DaemonSettings(
        _cli_parse_args=False,
        engine_url="http://127.0.0.1:1",
        state_dir=tmp_path,
        job_users="200000-200001",
        max_concurrent_jobs=4,
    )
    with pytest.raises(WrongSettingError, match="users are needed") as caught:
        await prepare_job_users(settings, spares=1)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("number", "exit_code"), [(errno.EOVERFLOW, 2), (errno.ENOSPC, 1), (errno.EIO, 1)])
def test_a_directory_that_is_mounted_so_that_nothing_can_be_given_away_is_not_tried_again_and_a_full_disk_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, exit_code: int
) -> None:
    refuse(monkeypatch, number)
    monkeypatch.setattr(job_users, "problems_of_job_users", lambda settings, *, spares: [])
    settings = SimpleNamespace(job_users="200000-200003", state_dir=tmp_path)
    with pytest.raises(StartRefusedError, match="can be given to user 200000") as caught:
        asyncio.run(prepare_job_users(cast(DaemonSettings, settings), spares=1))
    assert caught.value.exit_code == exit_code


def test_a_number_that_is_a_group_of_this_machine_is_nobody_s_to_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A job gets the group of its user's number, and with it what the group may."""

    def group(number: int) -> SimpleNamespace:
        if number != 200001:
            raise KeyError(number)
        return SimpleNamespace(gr_name="disk")

    monkeypatch.setattr(grp, "getgrgid", group)
    settings = DaemonSettings(
        _cli_parse_args=False,
        engine_url="http://127.0.0.1:1",
        state_dir=tmp_path,
        job_users="200000-200003",
    )
    (problem,) = [each for each in job_users.problems_of_job_users(settings, spares=1) if "group" in each]
    assert "200001 is the group 'disk'" in problem


async def test_a_number_with_a_process_below_another_worker_is_refused_and_one_with_an_orphan_of_an_earlier_run_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An orphan may be one that can't be killed: a restart is what `job_stuck` sends people to."""
    monkeypatch.setattr(job_users, "_ENDING_SECONDS", 0.0)
    with subprocess.Popen(
        ["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        pid = int(other.stdout.readline())
        try:
            monkeypatch.setattr(job_users, "processes_of", lambda users: {pid: 200003})
            said = f"process {pid}, a child of process {other.pid}, runs as user 200003"
            with pytest.raises(StartRefusedError, match=said) as caught:
                await refuse_numbers_in_use("200000-200003")
            assert caught.value.exit_code == 1, "it is over when the other one ends: systemd tries again"
            other.kill()
            other.wait()
            await refuse_numbers_in_use("200000-200003")
        finally:
            other.kill()
            os.kill(pid, signal.SIGKILL)


async def test_what_is_just_ending_has_a_moment_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([SimpleNamespace(pid=1, parent=2, user=200003), None])
    monkeypatch.setattr(job_users, "_found_elsewhere", lambda users: next(found))
    await refuse_numbers_in_use("200000-200003")
    assert next(found, "looked twice") == "looked twice"


async def test_who_sees_another_beside_itself_steps_back_and_tries_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups, own = list[list[int]](), os.getgroups()
    other = SimpleNamespace(pid=1, parent=2, user=200003)
    # Free, then taken by another in the same moment, which steps back as well; and then free at both looks.
    found = iter([None, other, None, None])
    monkeypatch.setattr(os, "setgroups", groups.append)
    monkeypatch.setattr(job_users, "_found_elsewhere", lambda users: next(found))
    monkeypatch.setattr(job_users, "_LONGEST_TURN_SECONDS", 0.0)
    await take_numbers("200002-200003")
    assert groups == [[*own, 200002, 200003], own, [*own, 200002, 200003]]
    assert next(found, "looked as often") == "looked as often"
