"""Users of jobs: one child at a time has one, and it is free again only when nothing of it is left."""

import asyncio
import logging
import os
from collections.abc import Callable

import pytest
from launcher_support import ProcessLauncher

from jobrunner.protocol.confinement import Confinement
from supervisor.errors import LaunchError
from supervisor.launcher import job_users as job_users_module
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.job_users import JobUsers, _clean_up_after
from supervisor.log.events.processes import JobUserLost
from tests.log_events import facts_of
from tests.patience import until

LIMITS = Confinement(max_open_files=77)
USERS = (3_000_000_001, 3_000_000_002)


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> dict[int, str | Exception]:
    """What the clean-up after a user says; "" if nothing is said here."""
    problems: dict[int, str | Exception] = {}

    def clean(user: int, _: object) -> str:
        problem = problems.get(user, "")
        if isinstance(problem, Exception):
            raise problem
        return problem

    monkeypatch.setattr(job_users_module, "_clean_up_after", clean)
    return problems


async def test_a_child_keeps_its_user_until_it_is_closed(
    process_launcher: ProcessLauncher, cleaned: dict[int, str | Exception]
) -> None:
    users = JobUsers(USERS[:1])
    async with ConfinementPool(users).one(LIMITS) as confined:
        assert confined.confinement == Confinement(max_open_files=77, user=USERS[0])
        child = await process_launcher.spawn_child()
        confined.hand_over(child)
    assert child.user == USERS[0]
    taking = asyncio.ensure_future(users.take())
    await users.close()  # whoever had been given back would be cleaned up after, and free, now
    await asyncio.sleep(0)
    assert not taking.done()
    assert not users._free
    child.kill()
    await child.exited
    child.reap_and_close()
    assert await taking == USERS[0]


async def test_a_clean_up_that_is_cancelled_ends_no_close(cleaned: dict[int, str | Exception]) -> None:
    users = JobUsers(USERS)
    for user in USERS:
        await users.take()
        users.give_back(user)
    first, *_ = users._cleaning._running
    first.cancel()
    await users.close()
    assert len(users._free) == 1


@pytest.mark.parametrize("error", [LaunchError("no memory"), asyncio.CancelledError()])
async def test_the_user_of_a_child_that_was_never_born_is_given_back(
    cleaned: dict[int, str | Exception], error: BaseException
) -> None:
    users = JobUsers(USERS[:1])
    with pytest.raises(type(error)):
        async with ConfinementPool(users).one(LIMITS):
            raise error
    assert await users.take() == USERS[0]


async def test_without_users_a_child_runs_as_the_worker_s_own(process_launcher: ProcessLauncher) -> None:
    confinement_pool = ConfinementPool()
    async with confinement_pool.one(LIMITS) as confined:
        assert confined.confinement == LIMITS
        child = await process_launcher.spawn_child()
        confined.hand_over(child)
    assert child.user is None
    await confinement_pool.close()


async def test_the_user_that_was_free_the_longest_is_the_next(cleaned: dict[int, str | Exception]) -> None:
    users = JobUsers(USERS)
    first = await users.take()
    users.give_back(first)
    await users.close()
    assert [await users.take(), await users.take()] == [USERS[1], USERS[0]]


async def test_where_no_user_is_free_in_time_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_users_module, "_WAIT_SECONDS", 0.01)
    with pytest.raises(LaunchError, match=r"No job user was free within 0\.01 s"):
        await JobUsers(()).take()


@pytest.mark.parametrize("problem", ["something of it lives.", OSError("no descriptor")])
async def test_a_user_that_can_not_be_cleaned_up_after_is_never_given_again(
    cleaned: dict[int, str | Exception], caplog: pytest.LogCaptureFixture, problem: str | Exception
) -> None:
    cleaned[USERS[0]] = problem
    users = JobUsers(USERS)
    assert await users.take() == USERS[0]
    users.give_back(USERS[0])
    await users.close()
    assert await users.take() == USERS[1]
    assert not users._free
    (record,) = (record for record in caplog.records if record.levelno == logging.CRITICAL)
    assert (record.event, facts_of(record)["user"]) == (JobUserLost.name, USERS[0])
    assert str(problem) in facts_of(record)["reason"]


async def test_closing_waits_for_what_is_being_cleaned_up(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    def clean(user: int, _: object) -> str:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(50)
        done.append(user)
        return ""

    monkeypatch.setattr(job_users_module, "_clean_up_after", clean)
    confinement_pool = ConfinementPool(users := JobUsers(USERS))
    users.give_back(await users.take())
    closing = asyncio.ensure_future(confinement_pool.close())
    await asyncio.sleep(0)
    assert not closing.done()
    gate.set()
    await closing
    assert done == [USERS[0]]
    await until(lambda: not users._cleaning)


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[int]]]:
    """Has children be there with their users, and tells what was killed."""

    def set_up(users: dict[int, int], *, deaf: bool = False) -> list[list[int]]:
        killed: list[list[int]] = []

        def kill(pids: list[int], end: float) -> None:
            killed.append(pids)
            if not deaf:
                for pid in pids:
                    users.pop(pid)

        monkeypatch.setattr(job_users_module, "direct_children", lambda: set(users))
        monkeypatch.setattr(job_users_module, "user_of", users.get)
        monkeypatch.setattr(job_users_module, "is_alive", lambda pid: pid != 13)
        monkeypatch.setattr(job_users_module, "kill_tree", kill)
        return killed

    return set_up


def test_what_lives_of_a_user_is_killed_and_nobody_else_and_no_dead(
    alive: Callable[..., list[list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = alive({10: USERS[0], 11: USERS[1], 12: os.getuid(), 13: USERS[0]})
    removed: list[int] = []
    monkeypatch.setattr(job_users_module, "remove_leftovers", lambda users, *_: removed.extend(users) or [])
    assert _clean_up_after(USERS[0]) == ""
    assert killed == [[10]]
    assert removed == [USERS[0]]


def test_what_can_not_be_killed_or_removed_is_told(
    alive: Callable[..., list[list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_users_module, "_KILL_SECONDS", 0.01)
    alive({10: USERS[0]}, deaf=True)
    assert _clean_up_after(USERS[0]) == "process(es) [10] of it can't be killed."
    alive({})
    monkeypatch.setattr(job_users_module, "remove_leftovers", lambda *_: ["/tmp/a", "/tmp/b"])
    assert _clean_up_after(USERS[0]) == "what it left is not removed yet: /tmp/a, /tmp/b."
