"""How many groups a job may have, whom it may lead elsewhere, and what is left of a listener that is not needed."""

import asyncio
import errno
import os
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from launcher_support import a_process

from jobrunner.protocol.group_calls import GroupCall
from supervisor.launcher import process_groups
from supervisor.launcher.group_listener import Asked
from supervisor.launcher.process_groups import ProcessGroups
from tests.patience import PATIENCE_SECONDS

SETSID = GroupCall(0, 0)


class Listener:
    """A kernel that asks what a test says, and keeps what it is answered."""

    def __init__(self) -> None:
        self.asked = Asked(1, os.getpid(), SETSID)
        self.answers: list[str] = []
        self.waits = True

    def fileno(self) -> int:
        return 10**6

    def receive(self) -> Asked:
        return self.asked

    def still_waits(self, _: Asked) -> bool:
        return self.waits

    def allow(self, _: Asked) -> None:
        self.answers.append("allowed")

    def refuse(self, _: Asked) -> None:
        self.answers.append("refused")

    def forbid(self, _: Asked) -> None:
        self.answers.append("forbidden")

    def deny(self, _: Asked) -> None:
        self.answers.append("denied")


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def groups(listener: Listener) -> Iterator[ProcessGroups]:
    descriptor = os.pidfd_open(os.getpid())
    groups = ProcessGroups(os.getpid(), descriptor)
    groups._listener = listener
    yield groups
    for led in (descriptor, *groups._led.values()):
        os.close(led)


@pytest.fixture
async def pipe() -> AsyncIterator[tuple[int, int]]:
    """In place of the kernel's descriptor: readable at its end."""
    read, write = os.pipe()
    yield read, write
    os.close(write)


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("pids", ["4711", "4711\t12"], ids=["its own", "another's"])
@pytest.mark.parametrize(
    ("process", "group"),
    [(0, 0), (12, 0), (12, 12), (0, 12)],
    ids=["itself", "another", "another by both", "itself by its number"],
)
def test_who_names_a_process_by_numbers_that_are_not_the_worker_s_makes_the_groups_unknown(
    groups: ProcessGroups,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    pids: str,
    process: int,
    group: int,
) -> None:
    """In a namespace of its own (pid_namespaces(7)), which is why it has several numbers."""
    me = os.getpid()
    monkeypatch.setattr(process_groups, "status_of", lambda _: {"Tgid": str(me), "NSpid": pids})
    listener.asked = Asked(1, me, GroupCall(process and me, group and me))
    groups._answer()
    strange = "\t" in pids and bool(process or group)
    assert listener.answers == ["allowed"]
    assert groups.complete is not strange
    assert list(groups._led) == ([] if strange else [me])


@pytest.mark.parametrize("process", [0, 12], ids=["itself", "another"])
@pytest.mark.parametrize(
    ("group", "pids", "answer"),
    [
        (4000, "4711", "forbidden"),
        (4000, "4711\t12", "allowed"),  # a number of another namespace
        (4711, "4711", "allowed"),  # the child's own group
        (4712, "4711", "allowed"),  # led by a process of the job
        (-1, "4711", "allowed"),  # the kernel refuses that itself
    ],
)
def test_nobody_joins_a_group_that_is_not_the_job_s(
    monkeypatch: pytest.MonkeyPatch, listener: Listener, process: int, group: int, pids: str, answer: str
) -> None:
    """Who holds the job's session leads one there. What is in it would not be stopped with the job."""
    groups = ProcessGroups(4711, -1)
    groups._listener, groups._led = listener, {4712: -1}
    monkeypatch.setattr(process_groups, "status_of", lambda _: {"Tgid": "4711", "NSpid": pids})
    listener.asked = Asked(1, 4711, GroupCall(process, group))
    monkeypatch.setattr(groups, "_learn", lambda *_: True)
    groups._answer()
    assert listener.answers == [answer]


@pytest.mark.parametrize(("waits", "answers"), [(True, ["refused"]), (False, [])], ids=["waits", "gone"])
@pytest.mark.parametrize("status", [{}, {"NSpid": "1"}], ids=["unread", "half read"])
def test_who_waits_and_can_t_be_looked_at_makes_no_group(
    groups: ProcessGroups,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    status: dict[str, str],
    waits: bool,
    answers: list[str],
) -> None:
    """For want of a descriptor, or of memory: what it made would be known to nobody."""
    monkeypatch.setattr(process_groups, "status_of", lambda _: status)
    listener.waits = waits
    groups._answer()
    assert (listener.answers, groups._led, groups.complete) == (answers, {}, True)


@pytest.mark.parametrize("missing", ["leader", "caller"])
def test_whose_session_can_t_be_read_makes_no_group(
    groups: ProcessGroups, listener: Listener, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    me, leader = os.getpid(), os.getppid()
    listener.asked = Asked(1, me, GroupCall(leader, 0))
    unread = leader if missing == "leader" else me
    monkeypatch.setattr(process_groups, "_session", lambda pid: None if pid == unread else 1)
    groups._answer()
    assert (listener.answers, groups._led, groups.complete) == (["refused"], {}, True)


def test_nobody_joins_another_s_group_while_only_the_second_look_succeeds(
    groups: ProcessGroups, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller is read once: what one look misses, another must not allow."""
    looks = [{}, {"Tgid": "4711", "NSpid": "4711"}]
    monkeypatch.setattr(process_groups, "status_of", lambda _: looks.pop(0))
    listener.asked = Asked(1, os.getpid(), GroupCall(0, 4000))
    groups._answer()
    assert listener.answers == ["refused"]


def test_a_call_that_is_not_known_leads_nothing(groups: ProcessGroups, listener: Listener) -> None:
    listener.asked = Asked(1, os.getpid(), None)
    groups._answer()
    assert (listener.answers, groups._led, groups.complete) == (["allowed"], {}, True)


def test_a_leader_that_is_not_there_is_denied_and_not_left_to_the_kernel_which_looks_later(
    groups: ProcessGroups, listener: Listener
) -> None:
    """By then another thread of the caller may have forked a process that got this number."""
    listener.asked = Asked(1, os.getpid(), GroupCall(2**22 + 1, 0))  # above what the kernel gives out
    groups._answer()
    assert (listener.answers, groups._led) == (["denied"], {})


@pytest.mark.parametrize(("groups_before", "answer"), [(511, "allowed"), (512, "refused")])
def test_a_job_without_a_limit_of_processes_may_have_512_groups(
    groups: ProcessGroups,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    groups_before: int,
    answer: str,
) -> None:
    """Each takes one of the worker's descriptors."""
    monkeypatch.setattr(process_groups, "_is_there", lambda _: True)
    numbers = range(2**22 + 1, 2**22 + 1 + groups_before)
    groups._led.update(dict.fromkeys(numbers, -1))
    groups._answer()
    for number in numbers:
        del groups._led[number]
    assert listener.answers == [answer]


async def test_a_job_with_a_limit_is_held_and_told_with_the_first_group_above_it(
    groups: ProcessGroups, listener: Listener
) -> None:
    counts: list[int] = []
    groups.watch(0, counts.append)
    groups._answer()
    groups._answer()  # from then on nobody gets an answer
    assert (listener.answers, counts) == ([], [1])


async def test_while_nobody_gets_an_answer_the_loop_is_not_woken_by_who_waits(pipe: tuple[int, int]) -> None:
    """It would do nothing else: what waits is there at every look."""
    read, write = pipe
    groups = ProcessGroups(os.getpid(), -1)
    groups.listen(read)
    groups.hold()
    os.write(write, b"x")
    assert not asyncio.get_running_loop().remove_reader(read)
    groups.hold()  # once more is no error
    groups.close()


async def test_when_nobody_is_left_who_could_ask_the_loop_does_not_look_any_more(
    pipe: tuple[int, int],
) -> None:
    read, write = pipe
    groups = ProcessGroups(os.getpid(), -1)
    groups.listen(read)
    os.dup2(os.open(os.devnull, os.O_WRONLY), write)  # closes the pipe's other end
    await turns()
    assert not asyncio.get_running_loop().remove_reader(read)
    groups.close()


async def test_a_listener_that_is_closed_is_looked_at_no_more(pipe: tuple[int, int]) -> None:
    """Its number may be another descriptor's."""
    read, _ = pipe
    groups = ProcessGroups(os.getpid(), -1)
    groups.listen(read)
    assert groups.complete
    groups.close()
    assert not groups.complete
    assert not asyncio.get_running_loop().remove_reader(read)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read)
    groups.close()


def test_of_a_job_is_what_lives_in_one_of_its_groups() -> None:
    leader, stranger = a_process(), a_process()
    member = a_process(leader)
    pidfd = os.pidfd_open(leader)
    groups = ProcessGroups(leader, pidfd)
    try:
        assert [groups.has(pid) for pid in (leader, member, stranger)] == [True, True, False]
        groups._led[stranger] = -1
        assert groups.has(stranger)
        groups._led.clear()
        os.kill(member, signal.SIGKILL)
        os.waitid(os.P_PID, member, os.WEXITED | os.WNOWAIT)
        assert not groups.has(member)  # a zombie
        os.waitpid(member, 0)
        assert not groups.has(member)
    finally:
        for pid in (leader, stranger):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(pidfd)


@pytest.mark.parametrize(
    ("error", "there"), [(None, True), (PermissionError, True), (ProcessLookupError, False)]
)
def test_who_may_not_be_signalled_is_there(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError] | None, there: bool
) -> None:
    def signalled(_descriptor: int, number: int, *_: object) -> None:
        assert number == 0  # only asks
        if error is not None:
            raise error

    monkeypatch.setattr(signal, "pidfd_send_signal", signalled)
    assert process_groups._is_there(7) is there
    assert process_groups._has_members(4711, 7) is there


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF])
def test_only_a_kernel_that_does_not_know_the_flag_is_an_older_one(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(signal, "pidfd_send_signal", failing)
    if number == errno.EINVAL:
        assert not process_groups._signal_group(7, 0)
    else:
        with pytest.raises(OSError, match="Bad file descriptor"):
            process_groups._signal_group(7, 0)


def test_whoever_is_in_another_session_is_let_through_and_is_no_leader_of_the_job(
    groups: ProcessGroups, listener: Listener
) -> None:
    """The kernel refuses such a call; who has the number must not be signalled."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        listener.asked = Asked(1, os.getpid(), GroupCall(stranger.pid, 0))
        groups._answer()
        stranger.kill()
    assert (listener.answers, groups._led) == (["allowed"], {})


@pytest.mark.parametrize("is_replaced", [False, True], ids=["forgotten", "replaced"])
def test_no_descriptor_is_closed_while_a_thread_looks_at_it(
    groups: ProcessGroups, listener: Listener, monkeypatch: pytest.MonkeyPatch, is_replaced: bool
) -> None:
    """The sweep of another job does. Its number may be another's a moment later, or nobody's."""
    leader = a_process()
    groups._led[leader] = os.pidfd_open(leader)
    listener.asked = Asked(1, os.getpid(), GroupCall(leader, 0))
    looks, goes_on = threading.Event(), threading.Event()
    errors: list[OSError] = []

    def is_there(descriptor: int) -> bool:
        if threading.current_thread() is looking:
            looks.set()
            assert goes_on.wait(PATIENCE_SECONDS)
            try:
                os.fstat(descriptor)
            except OSError as error:
                errors.append(error)
        return False  # so that it may be forgotten, or replaced

    monkeypatch.setattr(process_groups, "_is_there", is_there)
    monkeypatch.setattr(process_groups, "_has_members", lambda *_: False)
    looking = threading.Thread(target=groups.has_group, args=(leader,))
    closing = threading.Thread(target=groups._answer if is_replaced else groups._forget_empty)
    looking.start()
    assert looks.wait(PATIENCE_SECONDS)
    closing.start()
    closing.join(0.2)  # it waits, or has closed it
    goes_on.set()
    for thread in (looking, closing):
        thread.join(PATIENCE_SECONDS)
    assert errors == []
    assert (leader in groups._led) is is_replaced
    os.kill(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
