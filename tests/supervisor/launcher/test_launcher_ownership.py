"""Whose a process is that the supervisor has inherited: never another job's, and nobody's where nothing tells."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from launcher_support import a_process

from supervisor.launcher.ownership import JobProcesses, by_owner
from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.cgroups.cgroup import Cgroup

_TWO = """
import os, time
below = os.fork()
if below == 0:
    os.setpgid(0, 0)
    time.sleep(600)
os.setpgid(below, below)
print(below, flush=True)
time.sleep(600)
"""


class Groups(ProcessGroups):
    """Groups of which all are known, or not."""

    def __init__(self, pid: int, pidfd: int, *, known: bool) -> None:
        super().__init__(pid, pidfd)
        self.known = known

    @property
    def complete(self) -> bool:
        return self.known


class Inside(Cgroup):
    """A cgroup with these processes."""

    def __init__(self, *pids: int) -> None:
        super().__init__((), "", None, lambda _: None)
        self.pids = set(pids)

    def processes(self) -> set[int]:
        return self.pids


class Jobs:
    """Jobs whose children are processes of this one."""

    def __init__(self, until_then: contextlib.ExitStack) -> None:
        self._until_then = until_then

    def process(self, group: int = 0) -> int:
        pid = a_process(group)
        self._until_then.callback(os.waitpid, pid, 0)
        self._until_then.callback(os.kill, pid, signal.SIGKILL)
        return pid

    def in_a_session(self) -> int:
        """A process that leads a session of its own."""
        return self._with_one_below()[0]

    def in_the_session_of_another(self) -> tuple[int, int]:
        """A process that leads a session, and one that leads a group in it."""
        return self._with_one_below()

    def _with_one_below(self) -> tuple[int, int]:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _TWO], start_new_session=True, stdout=subprocess.PIPE
        )
        self._until_then.enter_context(process)
        assert process.stdout is not None
        below = int(process.stdout.readline())
        self._until_then.callback(process.kill)
        self._until_then.callback(os.kill, below, signal.SIGKILL)
        return process.pid, below

    def job(self, *, known: bool = True, child: int | None = None, **more: Any) -> JobProcesses:
        pid = child or self.process()
        pidfd = os.pidfd_open(pid)
        self._until_then.callback(os.close, pidfd)
        job = JobProcesses(pid, Groups(pid, pidfd, known=known), **more)
        self._until_then.callback(job.groups.close)
        job.child = pid  # type: ignore[attr-defined]
        return job


@pytest.fixture
async def jobs() -> AsyncIterator[Jobs]:
    with contextlib.ExitStack() as until_then:
        yield Jobs(until_then)


async def test_what_is_in_a_group_of_a_job_is_that_job_s_whoever_its_parent_is(jobs: Jobs) -> None:
    one, other = jobs.job(), jobs.job()
    member = jobs.process(one.child)  # type: ignore[attr-defined]
    assert by_owner({member}, [other, one]) == {one: {member}}


async def test_what_is_in_no_known_group_is_nobody_s(jobs: Jobs) -> None:
    stranger = jobs.in_a_session()
    assert by_owner({stranger}, [jobs.job(), jobs.job()]) == {None: {stranger}}
    assert by_owner({stranger}, [jobs.job()]) == {None: {stranger}}
    assert by_owner({stranger}, []) == {None: {stranger}}


async def test_where_groups_are_not_known_a_cgroup_a_user_or_a_session_tells(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, of_user = jobs.process(), jobs.process()
    leader, in_session = jobs.in_the_session_of_another()
    monkeypatch.setattr("supervisor.launcher.ownership.user_of", lambda pid: 61_000 if pid == of_user else 0)
    by_cgroup = jobs.job(known=False, cgroup=Inside(inside))
    by_user = jobs.job(known=False, user=61_000)
    by_session = jobs.job(known=False, child=leader)
    everybody = [by_cgroup, by_user, by_session]
    assert by_owner({inside}, everybody) == {by_cgroup: {inside}}
    assert by_owner({of_user}, everybody) == {by_user: {of_user}}
    assert by_owner({in_session}, everybody) == {by_session: {in_session}}


async def test_a_job_is_the_owner_by_exclusion_only_where_it_is_the_only_one_that_can_be(jobs: Jobs) -> None:
    stray = jobs.in_a_session()
    known, hidden, hidden_too = jobs.job(), jobs.job(known=False), jobs.job(known=False)
    assert by_owner({stray}, [known, hidden]) == {hidden: {stray}}
    assert by_owner({stray}, [known, hidden, hidden_too]) == {None: {stray}}


async def test_the_number_of_a_group_that_is_empty_tells_nothing_any_more(jobs: Jobs) -> None:
    child = a_process()
    job = jobs.job(child=child)
    assert job.groups.has_group(child)
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert job.groups.has_group(child)  # nobody else can have the number yet
    os.waitpid(child, 0)
    assert not job.groups.has_group(child)


async def test_a_session_is_remembered_when_the_child_is_gone(jobs: Jobs) -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as child:
        job = JobProcesses(child.pid, jobs.job().groups)
        job.remember_session()
        child.kill()
    assert job.has_session(child.pid)
    assert not JobProcesses(child.pid, jobs.job().groups).has_session(child.pid)
