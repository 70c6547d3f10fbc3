"""What process groups do in which order: learn before they allow, and signal in two rounds."""

import errno
import os
import signal
from collections.abc import Iterator

import pytest

from jobrunner.protocol.group_calls import GroupCall
from supervisor.launcher import group_listener, process_groups
from supervisor.launcher.group_listener import Asked, GroupListener
from supervisor.launcher.process_groups import ProcessGroups

SELF = Asked(1, os.getpid(), GroupCall(0, 0))


class Listener:
    """A kernel that asks what a test says."""

    def __init__(self, calls: list[str], asked: Asked | None, *, waits: bool = True) -> None:
        self._calls, self._asked, self._waits = calls, asked, waits

    def receive(self) -> Asked | None:
        return self._asked

    def still_waits(self, _asked: Asked) -> bool:
        self._calls.append("still waits?")
        return self._waits

    def allow(self, _asked: Asked) -> None:
        self._calls.append("allow")

    def refuse(self, _asked: Asked) -> None:
        self._calls.append("refuse")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    opened = os.pidfd_open

    def pidfd_open(pid: int) -> int:
        calls.append("open")
        return opened(pid)

    monkeypatch.setattr(os, "pidfd_open", pidfd_open)
    return calls


@pytest.fixture
def groups() -> Iterator[ProcessGroups]:
    descriptor = os.pidfd_open(os.getpid())
    groups = ProcessGroups(os.getpid(), descriptor)
    yield groups
    for led in (descriptor, *groups._led.values()):
        os.close(led)


def test_a_leader_is_opened_and_known_to_wait_before_it_may_go_on(
    groups: ProcessGroups, calls: list[str]
) -> None:
    groups._listener = Listener(calls, SELF)
    groups._answer()
    assert calls == ["open", "still waits?", "allow"]
    assert list(groups._led) == [os.getpid()]


def test_who_was_killed_meanwhile_is_forgotten_and_gets_no_answer(
    groups: ProcessGroups, calls: list[str]
) -> None:
    """Its number may be a stranger's by now."""
    groups._listener = Listener(calls, SELF, waits=False)
    groups._answer()
    assert calls == ["open", "still waits?"]
    assert groups._led == {}


def test_a_leader_of_another_session_is_a_stranger(groups: ProcessGroups, calls: list[str]) -> None:
    """The kernel refuses such a call; who has the number must not be signalled."""
    if os.getsid(1) == os.getsid(0):
        pytest.skip("this process is in the session of process 1")
    groups._listener = Listener(calls, Asked(1, os.getpid(), GroupCall(1, 1)))
    groups._answer()
    assert calls == ["open", "still waits?", "allow"]
    assert groups._led == {}


def test_whoever_joins_a_group_of_the_job_is_let_through(groups: ProcessGroups, calls: list[str]) -> None:
    groups._listener = Listener(calls, Asked(1, os.getpid(), GroupCall(12, os.getpid())))
    groups._answer()
    assert calls == ["allow"]


def test_signals_go_out_in_two_rounds_to_the_child_s_own_group_and_all_others(
    groups: ProcessGroups, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(
        process_groups, "_signal_group", lambda descriptor, number: sent.append((descriptor, number)) or True
    )
    groups._listener = Listener(calls, SELF)
    groups._answer()
    groups.send(9)
    one_round = [(groups._pidfd, 9), (groups._led[os.getpid()], 9)]
    assert sent == one_round * 2


@pytest.mark.parametrize(("room", "known"), [(128, False), (129, True)])
def test_jobs_leave_128_descriptors_to_the_worker(
    groups: ProcessGroups, calls: list[str], monkeypatch: pytest.MonkeyPatch, room: int, known: bool
) -> None:
    next_free = os.open(os.devnull, os.O_RDONLY)
    os.close(next_free)
    monkeypatch.setattr(process_groups.resource, "getrlimit", lambda _: (next_free + room, 10**6))
    groups._listener = Listener(calls, SELF)
    groups._answer()
    assert calls[-1] == ("allow" if known else "refuse")
    assert list(groups._led) == ([os.getpid()] if known else [])
    is_free = os.open(os.devnull, os.O_RDONLY)
    os.close(is_free)
    assert (is_free > next_free) is known


def test_a_kernel_that_can_signals_all_of_a_group_by_the_descriptor_of_its_leader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also of a leader that is gone, whose number may be another's: PIDFD_SIGNAL_PROCESS_GROUP, <linux/pidfd.h>."""
    reached: list[tuple[int, int]] = []

    def as_linux_6_9(descriptor: int, number: int, info: None, flags: int) -> None:
        if flags not in (0, 1, 2, 4):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if flags == 4:
            reached.append((descriptor, number))

    monkeypatch.setattr(signal, "pidfd_send_signal", as_linux_6_9)
    assert process_groups._signal_group(77, signal.SIGSTOP)
    assert reached == [(77, signal.SIGSTOP)]


def test_a_kernel_without_a_question_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold the loop up."""

    class Poll:
        def register(self, *_: int) -> None:
            pass

        def poll(self, milliseconds: int) -> list[tuple[int, int]]:
            assert milliseconds == 0
            return []

    monkeypatch.setattr(group_listener.select, "poll", Poll)
    listener = GroupListener(-1)
    assert (listener.receive(), listener.is_over()) == (None, False)


def test_once_closed_nothing_is_signalled_since_the_descriptors_may_be_another_s(
    groups: ProcessGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(process_groups, "_signal_group", lambda _, number: sent.append(number) or True)
    groups.send(9)
    groups.close()
    groups.send(9)
    assert sent == [9, 9]


def test_on_an_older_kernel_a_number_that_another_has_by_now_is_no_group_of_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(process_groups, "_signal_group", lambda *_: False)
    monkeypatch.setattr(os, "killpg", lambda group, number: asked.append((group, number)))
    assert not process_groups._has_members(os.getpid(), -1)
    assert process_groups._has_members(2**22 + 1, -1)  # above what the kernel gives out
    assert asked == [(os.getpid(), 0), (2**22 + 1, 0)]
