"""What a sweep promises: stopped before killed, the job's own group killed as one, nothing left, nobody else touched.

This process is no subreaper, and has children of its own: of them the sweep is shown those that a test has made.
"""

import contextlib
import errno
import os
import resource
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from launcher_support import BOUND_SECONDS, ProcessLauncher, a_process, is_there

from supervisor.launcher import known_children as kin_module
from supervisor.launcher import sweep as sweep_module
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.process_groups import ProcessGroups
from supervisor.launcher.sweep import Sweeper, Swept
from supervisor.process.cgroups.cgroup import WITHOUT, Cgroup
from tests.patience import until
from tests.unkillable import held


def is_dead(pid: int) -> bool:
    """Whether a child of this process, which nobody has waited for, has ended."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


class Family:
    """Processes that a test makes; those in `shown` are all children that the sweep can see."""

    def __init__(self) -> None:
        self.shown: list[int] = []
        self._made: list[int] = []
        self.leader = self.process()
        os.kill(self.leader, signal.SIGKILL)
        os.waitid(os.P_PID, self.leader, os.WEXITED | os.WNOWAIT)
        self._pidfd = os.pidfd_open(self.leader)
        self.groups = ProcessGroups(self.leader, self._pidfd)

    def job(self, cgroup: Cgroup = WITHOUT) -> JobProcesses:
        return JobProcesses(self.leader, self.groups, cgroup)

    def process(self, group: int = 0) -> int:
        """A process that the sweep is not shown."""
        self._made.append(a_process(group))
        return self._made[-1]

    def leftover(self) -> int:
        """A process that is."""
        self.shown.append(self.process())
        return self.shown[-1]

    def children(self) -> list[int]:
        return [pid for pid in self.shown if is_there(pid)]

    def close(self) -> None:
        self.groups.close()
        os.close(self._pidfd)
        for pid in self._made:
            with contextlib.suppress(ChildProcessError):
                os.waitid(
                    os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
                )  # raises unless it is ours still
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Iterator[Family]:
    """A job that is dead and not yet waited for, and what it has left."""
    family = Family()
    monkeypatch.setattr(kin_module, "children_of_thread", lambda *_: family.children())
    yield family
    family.close()


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What was signalled, in this order: ("process" or "group", its number, the signal)."""
    sent: list[tuple[str, int, int]] = []
    kill, killpg, send = os.kill, os.killpg, signal.pidfd_send_signal

    def to_process(pid: int, number: int) -> None:
        sent.append(("process", pid, number))
        kill(pid, number)

    def to_group(group: int, number: int) -> None:
        sent.append(("group", group, number))
        killpg(group, number)

    def to_descriptor(descriptor: int, number: int, info: None = None, flags: int = 0) -> None:
        lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
        pid = next(int(line.split()[1]) for line in lines if "Pid:" in line)
        if number:  # else it is a question
            sent.append(("group" if flags else "process", pid, number))
        send(descriptor, number, info, flags)

    monkeypatch.setattr(os, "kill", to_process)
    monkeypatch.setattr(os, "killpg", to_group)
    monkeypatch.setattr(signal, "pidfd_send_signal", to_descriptor)
    return sent


async def test_all_leftovers_are_stopped_before_one_is_killed_and_all_are_waited_for(
    process_launcher: ProcessLauncher, family: Family, signals: list[tuple[str, int, int]]
) -> None:
    leftovers = [family.leftover() for _ in range(3)]
    assert await Sweeper(process_launcher).clear(family.job()) == Swept(killed=3, remaining=0)
    assert not any(map(is_there, leftovers))
    sent = [(pid, number) for kind, pid, number in signals if kind == "process"]
    first_kill = next(index for index, (_, number) in enumerate(sent) if number == signal.SIGKILL)
    assert {pid for pid, number in sent[:first_kill] if number == signal.SIGSTOP} >= set(leftovers)


async def test_the_group_of_the_job_is_killed_although_no_walk_finds_what_is_in_it(
    process_launcher: ProcessLauncher, family: Family
) -> None:
    family.leftover()
    unseen = family.process(family.leader)
    await Sweeper(process_launcher).clear(family.job())
    await until(lambda: is_dead(unseen))
    ended = os.waitid(os.P_PID, unseen, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    assert ended.si_status == signal.SIGKILL


async def test_what_is_below_a_leftover_goes_with_it(
    process_launcher: ProcessLauncher, family: Family
) -> None:
    read, write = os.pipe()
    parent = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", "setsid sleep 600 & echo $! >&3; wait"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 3)],
    )
    os.close(write)
    below = int(os.read(read, 100))
    os.close(read)
    family._made.append(parent)
    family.shown.append(parent)
    watched = os.pidfd_open(below)
    assert (await Sweeper(process_launcher).clear(family.job())).remaining == 0
    assert not is_there(parent)
    # It ends by itself, or is handed to pid 1 here: a supervisor would wait for it in the next round.
    assert select.select([watched], [], [], BOUND_SECONDS)[0] == [watched]
    os.close(watched)


async def test_a_child_that_is_born_between_two_looks_is_not_taken_for_a_leftover(
    process_launcher: ProcessLauncher, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed is known by the time that births are drained, not the other way round."""
    family.leftover()
    born: list[int] = []

    def list_and_be_born(*_: object) -> list[int]:
        born.append(family.leftover())  # at each look another
        return family.children()

    monkeypatch.setattr(kin_module, "children_of_thread", list_and_be_born)
    monkeypatch.setattr(
        process_launcher, "drain_starts", lambda: [process_launcher.known_children.add(pid) for pid in born]
    )
    assert await Sweeper(process_launcher).clear(family.job()) == Swept(killed=1, remaining=0)
    assert len(born) > 1
    assert not any(map(is_dead, born))


async def test_where_nothing_is_left_nothing_is_signalled(
    process_launcher: ProcessLauncher, family: Family, signals: list[tuple[str, int, int]]
) -> None:
    known = family.leftover()
    process_launcher.known_children.add(known)
    assert await Sweeper(process_launcher).clear(family.job()) == Swept(0, 0)
    # Only the job's own group, before anybody has looked.
    assert set(signals) == {("group", family.leader, signal.SIGSTOP)}


async def test_a_look_clears_what_is_empty_and_leaves_what_is_not_to_a_sweep(
    process_launcher: ProcessLauncher, family: Family, signals: list[tuple[str, int, int]]
) -> None:
    sweeper, job = Sweeper(process_launcher), family.job()
    assert sweeper.clear_if_empty(job)
    assert not Sweeper(process_launcher).clear_if_empty(family.job(Holding({4_000_001}, signals)))
    leftover = family.leftover()
    assert not sweeper.clear_if_empty(job)
    # Nothing is done but to stop the job's own group.
    assert set(signals) == {("group", family.leader, signal.SIGSTOP)}
    assert await sweeper.clear(job) == Swept(killed=1, remaining=0)
    assert not is_there(leftover)


async def test_a_leftover_that_had_ended_by_itself_was_not_killed(
    process_launcher: ProcessLauncher, family: Family
) -> None:
    leftovers = [family.leftover(), family.leftover()]
    os.kill(leftovers[0], signal.SIGTERM)
    os.waitid(os.P_PID, leftovers[0], os.WEXITED | os.WNOWAIT)
    assert await Sweeper(process_launcher).clear(family.job()) == Swept(killed=1, remaining=0)
    assert not any(map(is_there, leftovers))


class Holding(Cgroup):
    """A cgroup with these processes, which notes when it is killed in `signals`."""

    def __init__(self, inside: set[int], signals: list[tuple[str, int, int]], *, deaf: bool = False) -> None:
        super().__init__((), "", None, lambda _: None)
        self._inside = inside
        self._signals = signals
        self._deaf = deaf

    def processes(self) -> set[int]:
        return set(self._inside)

    def kill(self) -> set[int]:
        killed = set(self._inside)
        self._signals.append(("cgroup", 0, signal.SIGKILL))
        if not self._deaf:
            self._inside.clear()
        return killed


async def test_what_is_in_the_cgroup_is_killed_first(
    process_launcher: ProcessLauncher, family: Family, signals: list[tuple[str, int, int]]
) -> None:
    family.leftover()
    assert await Sweeper(process_launcher).clear(family.job(Holding({4_000_001}, signals))) == Swept(2, 0)
    assert next(sent for sent in signals if sent[2] == signal.SIGKILL) == ("cgroup", 0, signal.SIGKILL)


async def test_what_is_in_the_cgroup_alone_is_killed_too(
    process_launcher: ProcessLauncher, family: Family, signals: list[tuple[str, int, int]]
) -> None:
    assert await Sweeper(process_launcher).clear(family.job(Holding({4_000_001}, signals))) == Swept(1, 0)
    assert ("cgroup", 0, signal.SIGKILL) in signals


async def test_what_another_job_has_left_is_not_touched_and_not_waited_for(
    process_launcher: ProcessLauncher,
    family: Family,
    monkeypatch: pytest.MonkeyPatch,
    signals: list[tuple[str, int, int]],
) -> None:
    """Whether that one still runs, ends in this moment, or can't be killed."""
    sweeper, mine, other = Sweeper(process_launcher), family.job(), JobProcesses(1, ProcessGroups(1, -1))
    leftovers = {mine: {family.leftover()}, other: {family.leftover()}}
    monkeypatch.setattr(
        sweep_module, "by_owner", lambda pids, _: {j: own & pids for j, own in leftovers.items()}
    )
    sweeper.enter(other)
    assert await sweeper.clear(mine) == Swept(killed=1, remaining=0)
    (his,) = leftovers[other]
    assert not is_dead(his)
    assert his not in {pid for _, pid, _ in signals}
    await sweeper.close()


async def test_what_belongs_to_nobody_is_killed_and_is_in_no_job_s_account(
    process_launcher: ProcessLauncher, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeper, stray = Sweeper(process_launcher), family.leftover()
    monkeypatch.setattr(sweep_module, "by_owner", lambda pids, _: {None: set(pids)} if pids else {})
    assert await sweeper.clear(family.job()) == Swept(0, 0)
    await until(lambda: not is_there(stray))
    await sweeper.close()


async def test_what_could_not_be_killed_is_no_more_in_the_way_once_it_is_gone(
    process_launcher: ProcessLauncher, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "_BOUND_SECONDS", 0.05)
    sweeper, job, leftover = Sweeper(process_launcher), family.job(), family.leftover()
    try:
        with held(leftover):
            assert await sweeper.clear(job) == Swept(killed=0, remaining=1)
            assert await sweeper.clear(job, bound_seconds=0.0) == Swept(killed=0, remaining=1)
    except OSError:
        pytest.skip("a process of the same user may not be traced here")
    await until(lambda: is_dead(leftover))
    assert await sweeper.clear(job, bound_seconds=0.0) == Swept(killed=1, remaining=0)
    assert not is_there(leftover)


async def test_what_can_not_be_killed_is_told_and_not_tried_for_ever(
    process_launcher: ProcessLauncher, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "_BOUND_SECONDS", 1.0)
    leftover = family.leftover()
    stuck = Holding({4_000_001}, [], deaf=True)
    assert await Sweeper(process_launcher).clear(family.job(stuck)) == Swept(killed=1, remaining=1)
    assert not is_there(leftover)


async def test_without_a_descriptor_a_sweep_finds_out_that_it_can_not_look_and_the_job_keeps_what_is_its(
    process_launcher: ProcessLauncher, family: Family
) -> None:
    sweeper, job, leftover = Sweeper(process_launcher), family.job(), family.leftover()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            await sweeper.clear(job)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not is_dead(leftover)
    assert job in sweeper._jobs
    assert await sweeper.clear(job) == Swept(killed=1, remaining=0)
    assert not is_there(leftover)


async def test_a_job_whose_children_could_not_be_listed_keeps_what_is_its(
    process_launcher: ProcessLauncher, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> list[int]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(kin_module, "children_of_thread", refused)
    sweeper, job = Sweeper(process_launcher), family.job()
    with pytest.raises(OSError, match="Too many open files"):
        await sweeper.clear(job)
    assert job in sweeper._jobs
