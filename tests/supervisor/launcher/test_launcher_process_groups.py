"""The process groups of a job: nothing leaves one before it is known, and a signal to all reaches everything."""

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from supervisor.launcher import process_groups
from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.proc import is_alive, read_stat, tree_below
from tests.patience import until

ROOT = Path(__file__).parents[3]
SECONDS = 60.0
JOB = """
import errno, os, socket, sys, time
from jobrunner.group_filter import ask_before_leaving_the_group
from jobrunner.protocol.linux import become_subreaper, forbid_new_privileges

os.setsid()
become_subreaper()
forbid_new_privileges()
channel = socket.socket(fileno=int(sys.argv[1]))
listener = ask_before_leaving_the_group()
socket.send_fds(channel, [b"x"], [] if listener is None else [listener])
if listener is not None:
    os.close(listener)
channel.recv(1)
exec(sys.argv[2])
time.sleep(600)
"""
FORKS = """
for _ in range(4):
    if os.fork() == 0:
        {leave}
        os.fork()
        break
os.write(1, b"x")
"""
LEADERS = """
for ends in (False, True):
    leader = os.fork()
    if leader == 0:
        os.setsid()
        if os.fork() and ends:
            os._exit(0)
        os.write(1, b"x")
        time.sleep(600)
    if ends:
        os.waitpid(leader, 0)
os.write(1, b"x")
"""
ENDS_AT_ONCE = """
for _ in range(10):
    child = os.fork()
    if child == 0:
        os.setsid()
        os._exit(0)
    os.waitpid(child, 0)
os.write(1, b"x")
"""
UNDOES_THE_SUBREAPER = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for argument in (1, 0):  # PR_SET_CHILD_SUBREAPER
    error = ctypes.get_errno() if libc.prctl(36, ctypes.c_ulong(argument), 0, 0, 0) else 0
    os.write(1, f"{errno.errorcode.get(error, 0)} ".encode())
for _ in range(3):
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            time.sleep(30)
        os._exit(0)
    os.waitpid(middle, 0)
os.write(1, b"x")
"""
LEAVES = {
    "setsid": ("os.setsid()", 9),
    "setpgid": ("os.setpgid(0, 0)", 9),
    "setpgid of a child": ("child = os.fork(); child and os.setpgid(child, 0)", 17),
    "in another thread": (
        "import threading; one = threading.Thread(target=os.setsid); one.start(); one.join()",
        9,
    ),
}
"""How, and how many processes there are then."""


@dataclass
class Job:
    """A process that is filtered as a child is, and what it has printed."""

    process: "subprocess.Popen[bytes]"
    groups: ProcessGroups
    go: Callable[[], object]
    counts: list[int] = field(default_factory=list)

    def printed(self) -> bytes:
        assert self.process.stdout is not None
        try:
            return os.read(self.process.stdout.fileno(), 1000)
        except BlockingIOError:
            return b""

    async def printed_until(self, is_all: Callable[[bytes], bool]) -> bytes:
        """Wait until all that was printed is there, in however many pieces, and return it."""
        seen = b""

        def all_there() -> bool:
            nonlocal seen
            seen += self.printed()
            return is_all(seen)

        await until(all_there)
        return seen


@pytest.fixture
async def start() -> AsyncIterator[Callable[[str], Job]]:
    started: list[tuple[Job, int, socket.socket]] = []

    def start(code: str) -> Job:
        near, far = socket.socketpair()
        with far:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", JOB, str(far.fileno()), code],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                pass_fds=[far.fileno()],
            )
        pidfd = os.pidfd_open(process.pid)
        groups = ProcessGroups(process.pid, pidfd)
        job = Job(process, groups, lambda: near.send(b"x"))
        started.append((job, pidfd, near))
        near.settimeout(SECONDS)
        _, descriptors, _, _ = socket.recv_fds(near, 1, 1)
        if not descriptors:
            pytest.skip("this kernel does not let one process ask another before it leaves its group")
        groups.listen(*descriptors)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        return job

    try:
        yield start
    finally:
        for job, pidfd, near in started:
            # From below: what loses its parent is pid 1's.
            for pid in reversed(tree_below((job.process.pid,)).parents):
                os.kill(pid, signal.SIGKILL)
            job.process.wait(SECONDS)
            job.process.stdout.close()
            job.groups.close()
            os.close(pidfd)
            near.close()


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if is_alive(pid)}


@pytest.mark.parametrize(("leave", "processes"), LEAVES.values(), ids=LEAVES)
async def test_one_signal_to_the_groups_ends_all_that_has_left_its_own(
    start: Callable[[str], Job], leave: str, processes: int
) -> None:
    job = start(FORKS.format(leave=leave))
    job.go()
    await job.printed_until(lambda seen: len(seen) == processes)
    everything = set(tree_below((job.process.pid,)).parents)
    assert len({stat.group for pid in everything if (stat := read_stat(pid))}) == 5
    assert job.groups.complete
    job.groups.hold()
    job.groups.send(signal.SIGKILL)
    await until(lambda: not alive(everything))


async def test_what_a_job_orphans_stays_below_its_child_which_can_t_stop_being_its_subreaper(
    start: Callable[[str], Job],
) -> None:
    """Limits without a cgroup are counted there."""
    job = start(UNDOES_THE_SUBREAPER)
    job.go()
    seen = await job.printed_until(lambda seen: seen.endswith(b"x"))
    assert seen == b"0 EPERM x"
    assert len(tree_below((job.process.pid,)).parents) == 4


@pytest.fixture
def older_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """One before 6.9, which can't signal a group by a descriptor."""
    send = signal.pidfd_send_signal

    def send_to_one(descriptor: int, number: int, info: None = None, flags: int = 0) -> None:
        if flags:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        send(descriptor, number)

    monkeypatch.setattr(signal, "pidfd_send_signal", send_to_one)


@pytest.mark.usefixtures("older_kernel")
async def test_on_an_older_kernel_groups_that_are_over_leave_nothing_unknown(
    start: Callable[[str], Job],
) -> None:
    job = start(ENDS_AT_ONCE)
    job.go()
    await until(lambda: job.printed() == b"x")
    job.groups.hold()
    job.groups.send(signal.SIGSTOP)
    assert job.groups.complete


@pytest.mark.usefixtures("older_kernel")
async def test_an_older_kernel_reaches_the_groups_whose_leader_is_there_and_says_so_of_others(
    start: Callable[[str], Job],
) -> None:
    job = start(LEADERS)
    job.go()
    await job.printed_until(lambda seen: len(seen) == 4)
    everything = set(tree_below((job.process.pid,)).parents)
    assert len(everything) == 4
    assert job.groups.complete
    job.groups.hold()
    job.groups.send(signal.SIGSTOP)
    assert not job.groups.complete

    def running() -> list[int]:
        return [pid for pid in everything if (stat := read_stat(pid)) and stat.state != "T"]

    await until(lambda: len(running()) == 1)
    missed = read_stat(running()[0])
    assert missed is not None
    assert missed.group not in {pid for pid in everything if is_alive(pid)}  # its leader is gone


async def test_from_hold_on_nothing_leaves_its_group_and_it_can_still_be_killed(
    start: Callable[[str], Job],
) -> None:
    job = start(FORKS.format(leave=LEAVES["setsid"][0]))
    job.groups.hold()
    job.go()
    await until(lambda: len(tree_below((job.process.pid,)).parents) == 5)
    await until(lambda: job.printed() == b"x")  # by the parent, which does not leave
    waiting = set(tree_below((job.process.pid,)).parents)
    assert {stat.group for pid in waiting if (stat := read_stat(pid))} == {job.process.pid}
    job.groups.send(signal.SIGKILL)
    await until(lambda: not alive(waiting))


async def test_a_job_with_more_groups_than_it_may_have_processes_is_held_and_told(
    start: Callable[[str], Job],
) -> None:
    job = start(FORKS.format(leave=LEAVES["setsid"][0]))
    job.groups.watch(2, job.counts.append)
    job.go()
    await until(lambda: job.counts)
    assert job.counts == [3]
    await until(lambda: len(tree_below((job.process.pid,)).parents) == 7)  # two have left, and forked
    groups = {stat.group for pid in tree_below((job.process.pid,)).parents if (stat := read_stat(pid))}
    assert len(groups) == 3


@pytest.mark.parametrize("kernel", ["of today", "older"])
async def test_groups_that_are_over_do_not_count(
    start: Callable[[str], Job], request: pytest.FixtureRequest, kernel: str
) -> None:
    if kernel == "older":
        request.getfixturevalue("older_kernel")
    job = start(ENDS_AT_ONCE)
    job.groups.watch(2, job.counts.append)
    job.go()
    await until(lambda: job.printed() == b"x")
    assert job.counts == []


async def test_where_no_descriptor_is_left_for_it_a_job_is_refused_and_nobody_escapes(
    start: Callable[[str], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_groups, "_RESERVED_DESCRIPTORS", 10**9)
    job = start(
        "if os.fork() == 0:\n    try:\n        os.setsid()\n"
        "    except OSError as error:\n        os.write(1, errno.errorcode[error.errno].encode())\n"
    )
    job.go()
    await until(lambda: job.printed() == b"EAGAIN")
    assert job.groups.complete


async def test_a_closed_listener_lets_nobody_wait_for_ever(start: Callable[[str], Job]) -> None:
    job = start(
        "if os.fork() == 0:\n    try:\n        os.setsid()\n"
        "    except OSError as error:\n        os.write(1, errno.errorcode[error.errno].encode())\n"
    )
    job.groups.close()
    job.go()
    await until(lambda: job.printed() == b"ENOSYS")
    job.groups.send(signal.SIGKILL)  # whose number it was, nobody knows any more
    assert is_alive(job.process.pid)
