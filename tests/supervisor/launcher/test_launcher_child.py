"""One child as the supervisor holds it: how it came, how it ended, and that nothing of it stays open."""

import asyncio
import os
import resource
import signal
import socket
import sys
import types
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from launcher_support import is_there, open_descriptors

from jobrunner.protocol.linux import AWAITS_SIGNAL, DUMP_SIGNAL, MAIN_STACK_SIGNAL
from jobrunner.protocol.messages import Join, Ready, Tick
from supervisor.errors import LaunchError
from supervisor.launcher import child as child_module
from supervisor.launcher.channel_stream import ChannelStream
from supervisor.launcher.child import Child, Reaped
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.wiring import Wiring
from supervisor.process.cgroups.cgroup import Cgroup
from supervisor.process.memory import NOTHING_INHERITED, Inherited
from supervisor.verdict import ExitStatus
from tests.patience import until
from tests.unkillable import traced

LONG_SECONDS = 50.0


class Bed:
    """Children that run a program, with the channel's other end in the test's hand."""

    def __init__(self) -> None:
        self.known_children = KnownChildren()
        self.children: list[Child] = []
        self._wirings: list[Wiring] = []

    def child(self, *command: str) -> Child:
        wiring = Wiring()
        pid = os.posix_spawnp(command[0], command, os.environ, setpgroup=0)
        self.known_children.add(pid)
        child = Child(pid, os.pidfd_open(pid), wiring, self.known_children)
        self.children.append(child)
        self._wirings.append(wiring)
        return child

    def say(self, child: Child, data: bytes) -> None:
        """Write to the child's end of the channel."""
        os.write(self._wirings[self.children.index(child)].child_ends().channel, data)

    def complain(self, child: Child, data: bytes) -> None:
        """Write to the child's stderr."""
        os.write(self._wirings[self.children.index(child)].child_ends().stderr, data)

    def hang_up(self, child: Child) -> None:
        """Close the child's ends."""
        self._wirings[self.children.index(child)].close_child_ends()

    async def close(self) -> None:
        for child, wiring in zip(self.children, self._wirings, strict=True):
            wiring.close_child_ends()
            if not child._closed:
                child.kill()
                await child.exited
                child.reap_and_close()


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    bed = Bed()
    yield bed
    await bed.close()


async def test_a_child_is_ready_when_it_says_so_and_stays_open(bed: Bed) -> None:
    child = bed.child("sleep", "600")
    bed.say(child, Ready(pid=child.pid).pack())
    await child.get_ready(LONG_SECONDS)
    assert not child.exited.done()
    assert not child._closed


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "ended before it was ready"),
        (Tick().pack(), "ended before it was ready"),
        (b"\xff" * 8, "was not ready: a header of"),
        (Ready(pid=1).pack()[:-1], "was not ready: the channel ended inside a frame"),
    ],
    ids=["nothing", "another message", "no frame", "half a frame"],
)
async def test_a_child_that_says_anything_else_is_ended_and_its_last_words_are_told(
    bed: Bed, said: bytes, reason: str
) -> None:
    child = bed.child("sleep", "600")
    bed.say(child, said)
    bed.complain(child, b"Traceback: last words")
    bed.hang_up(child)
    with pytest.raises(LaunchError, match=reason) as caught:
        await child.get_ready(LONG_SECONDS)
    # Of children that fail alike, each says the same: so that it is logged once.
    assert str(child.pid) not in str(caught.value)
    assert caught.value.evidence == "Traceback: last words"
    await until(lambda: not is_there(child.pid))
    assert child._closed


async def test_of_much_that_a_child_has_said_the_end_is_told_and_no_more_than_a_page(bed: Bed) -> None:
    child = bed.child("sleep", "600")
    said = b"".join(b"%d lines of a long traceback\n" % number for number in range(1000))
    bed.complain(child, said)
    bed.hang_up(child)
    with pytest.raises(LaunchError) as caught:
        await child.get_ready(LONG_SECONDS)
    assert caught.value.evidence == said[-4096:].decode()


async def test_a_child_that_stays_silent_is_ended_after_its_time(bed: Bed) -> None:
    child = bed.child("sleep", "600")
    with pytest.raises(LaunchError, match=r"was not ready within 0\.01 s") as caught:
        await child.get_ready(0.01)
    assert caught.value.evidence == ""
    await until(lambda: not is_there(child.pid))


async def test_a_child_whose_start_is_given_up_is_ended(bed: Bed) -> None:
    child = bed.child("sleep", "600")
    waiting = asyncio.ensure_future(child.get_ready(LONG_SECONDS))
    await asyncio.sleep(0)  # it waits for the child's first frame now
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until(lambda: not is_there(child.pid))
    assert child._closed


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("exit 7", ExitStatus(code=7)),
        ("exit 0", ExitStatus(code=0)),
        ("kill -SEGV $$", ExitStatus(signal_name="SIGSEGV")),
        ("kill -40 $$", ExitStatus(signal_name="SIGRTMIN+6")),
    ],
)
async def test_how_a_child_ended_is_told_and_it_stays_to_be_waited_for(
    bed: Bed, command: str, status: ExitStatus
) -> None:
    child = bed.child("sh", "-c", command)
    assert await asyncio.wait_for(child.exited, LONG_SECONDS) == status
    assert is_there(child.pid)
    reaped = child.reap()
    assert not is_there(child.pid)
    assert reaped.peak_memory_mb is not None
    assert 0.1 < reaped.peak_memory_mb < 1000
    assert reaped.cpu_seconds is not None
    assert 0 <= reaped.cpu_seconds < 10


async def test_the_processor_time_of_a_child_is_that_of_its_user_and_of_the_kernel(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = bed.child("sleep", "600")
    usage = types.SimpleNamespace(ru_maxrss=2048, ru_utime=1.5, ru_stime=0.25)
    monkeypatch.setattr(child_module, "wait_for", lambda _: (0, 0, usage))
    assert child.reap() == Reaped(None, None)  # somebody traces it
    assert bed.known_children.unknown({child.pid}) == set()
    monkeypatch.setattr(child_module, "wait_for", lambda pid: (pid, 0x700, usage))
    assert child.reap() == Reaped(2.0, 1.75, ExitStatus(code=7))


@pytest.mark.parametrize(
    ("inherited", "taken", "reaped"),
    [
        (Inherited(1), Ready(pid=1, cpu_seconds=0.5, peak_memory_kb=1024), (1.0, 1.25)),
        (NOTHING_INHERITED, Ready(pid=1, cpu_seconds=0.5, peak_memory_kb=1024), (2.0, 1.25)),
        (Inherited(1), Ready(pid=1, cpu_seconds=9.0, peak_memory_kb=2**40), (0.0, 0.0)),
    ],
    ids=["a fork", "an interpreter of its own", "one that lies"],
)
async def test_what_a_child_had_taken_when_it_was_ready_is_not_its_job_s(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, inherited: Inherited, taken: Ready, reaped: tuple[float, float]
) -> None:
    child = bed.child("sleep", "600")
    child.inherited = inherited
    bed.say(child, taken.pack())
    await child.get_ready(LONG_SECONDS)
    usage = types.SimpleNamespace(ru_maxrss=2048, ru_utime=1.5, ru_stime=0.25)
    monkeypatch.setattr(child_module, "wait_for", lambda pid: (pid, 0x700, usage))
    assert child.reap() == Reaped(*reaped, ExitStatus(code=7))


async def test_how_a_child_was_ended_is_known_when_it_is_waited_for_and_its_number_is_asked_for_once(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = bed.child("sleep", "600")
    child.kill()
    await child.exited
    assert child.reap().status == ExitStatus(signal_name="SIGKILL")
    monkeypatch.setattr(child_module, "wait_for", lambda _: pytest.fail("it may be a stranger's by now"))
    assert child.reap() == Reaped(None, None)


async def test_a_child_that_another_has_waited_for_is_dead_all_the_same(bed: Bed) -> None:
    child = bed.child("sleep", "600")
    child.kill()
    os.waitpid(child.pid, 0)
    assert await asyncio.wait_for(child.exited, LONG_SECONDS) == ExitStatus()
    assert child.reap() == Reaped(None, None)
    child.kill()  # harmless
    child.close()


async def test_a_child_that_somebody_traces_is_waited_for_once_that_one_has_let_it_go(bed: Bed) -> None:
    child = bed.child("sleep", "600")
    try:
        with traced(child.pid):
            child.discard()
            await until(lambda: child._closed)
            assert is_there(child.pid)
            assert bed.known_children.unknown({child.pid}) == set()  # no job's leftover
    except PermissionError:
        pytest.skip("a process of the same user may not be traced here")
    await until(lambda: not is_there(child.pid))
    assert bed.known_children.unknown({child.pid}) == {child.pid}


async def test_a_child_is_forgotten_when_it_is_waited_for(bed: Bed) -> None:
    child = bed.child("true")
    await child.exited
    assert bed.known_children.unknown({child.pid}) == set()
    child.reap()
    assert bed.known_children.unknown({child.pid}) == {child.pid}


class Removed(Cgroup):
    """Counts its removals."""

    removals = 0

    def __init__(self) -> None:
        super().__init__((), "", None, lambda _: None)

    def remove(self) -> None:
        self.removals += 1


@pytest.mark.parametrize("ready", [True, False])
async def test_closing_closes_everything_once_and_says_so(bed: Bed, ready: bool) -> None:
    before = open_descriptors()
    child = bed.child("sleep", "600")
    if ready:
        bed.say(child, Ready(pid=child.pid).pack())
        await child.get_ready(LONG_SECONDS)
        assert child.unread_bytes() == 0
        bed.say(child, b"12345")
        sent = child.unread_bytes()
        assert sent in (0, 5)  # the loop may have taken it
    bed.hang_up(child)
    child.cgroup = cgroup = Removed()
    closed: list[bool] = []
    child.on_closed = lambda: closed.append(True)
    child.kill()
    await child.exited
    child.reap_and_close()
    child.close()
    await until(lambda: open_descriptors() == before)
    assert (cgroup.removals, closed) == (1, [True])
    if ready:
        assert child.unread_bytes() == 0


async def test_what_a_child_has_sent_is_seen_also_where_the_worker_has_no_stdin() -> None:
    """Then the lowest number is free, and a child's channel may get it."""
    stdin = os.dup(0)
    os.close(0)
    try:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            assert ours.fileno() == 0
            ours.setblocking(False)
            theirs.send(b"12345")
            child: Any = types.SimpleNamespace(channel=ChannelStream(ours, 1000))
            assert Child.unread_bytes(child) == 5
            child.channel.close()
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)


async def test_a_child_that_is_closed_while_it_lives_tells_of_no_end_any_more(bed: Bed) -> None:
    """Its descriptor's number may be another's by then, and a reader left on it would be that one's."""
    child = bed.child("sleep", "600")
    descriptor = child._pidfd
    child.close()
    assert not asyncio.get_running_loop().remove_reader(descriptor)
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)


CATCHES = """
import os, signal, sys
number, told = map(int, sys.argv[1:])
signal.signal(number, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [number])
os.write(told, b"ready\\n")
while True:
    os.write(told, b"%d\\n" % signal.sigwait([number]))
"""


@pytest.mark.parametrize(
    ("ask", "number"),
    [
        (Child.ask_for_stack, DUMP_SIGNAL),
        (partial(Child.ask_for_stack, of_main=True), MAIN_STACK_SIGNAL),
        (Child.ask_for_awaits, AWAITS_SIGNAL),
    ],
)
async def test_a_child_is_asked_by_a_signal_only_where_it_catches_it(bed: Bed, ask: Any, number: int) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    catching = bed.child(sys.executable, "-I", "-S", "-c", CATCHES, f"{number:d}", str(write))
    os.close(write)
    with os.fdopen(read) as said:
        assert await asyncio.to_thread(said.readline) == "ready\n"
        ask(catching)
        assert await asyncio.to_thread(said.readline) == f"{number:d}\n"
    deaf = bed.child("sleep", "600")
    ask(deaf)  # would end it
    assert not os.waitid(os.P_PID, deaf.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    deaf.kill()
    assert await asyncio.wait_for(deaf.exited, LONG_SECONDS) == ExitStatus(signal_name="SIGKILL")


WRITES_FOR_EVER = """
import faulthandler, os, signal, sys
number, told = map(int, sys.argv[1:])
nobody_reads, full = os.pipe()
os.set_blocking(full, False)
try:
    while True:
        os.write(full, b"-")
except BlockingIOError:
    os.set_blocking(full, True)
faulthandler.register(number, file=full, chain=False)
os.write(told, b"ready\\n")
signal.pause()
"""


@pytest.mark.parametrize(("of_main", "number"), [(False, DUMP_SIGNAL), (True, MAIN_STACK_SIGNAL)])
async def test_that_a_child_is_amid_its_stack_is_seen_though_it_writes_nothing_and_that_another_waits(
    bed: Bed, of_main: bool, number: int
) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    child = bed.child(sys.executable, "-I", "-S", "-c", WRITES_FOR_EVER, f"{number:d}", str(write))
    os.close(write)
    with os.fdopen(read) as said:
        assert await asyncio.to_thread(said.readline) == "ready\n"
    assert not child.may_be_writing_stack()
    assert child.ask_for_stack(of_main=of_main)
    await until(child.may_be_writing_stack)
    assert not child.owes_stack()
    assert child.ask_for_stack(of_main=of_main)
    assert child.owes_stack(), "its one thread takes the second signal when it has done with the first"


async def test_a_stopped_child_goes_on_when_it_is_told_to(bed: Bed) -> None:
    child = bed.child("sleep", "600")
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED)
    child.resume()
    os.waitid(os.P_PID, child.pid, os.WCONTINUED)


async def test_a_child_whose_descriptor_finds_no_free_number_is_given_up(bed: Bed) -> None:
    """It comes with the first frame. Without it no process of the job could leave its process group."""
    child = bed.child("sleep", "600")
    ends = bed._wirings[0].child_ends()
    own = socket.socket(fileno=os.dup(ends.channel))
    socket.send_fds(own, [Ready(pid=child.pid).pack()], [ends.dump])
    own.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(
            LaunchError, match=r"Too many open files \(EMFILE\)\. Raise the limit of open files"
        ):
            await child.get_ready(LONG_SECONDS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await until(lambda: child._closed)
    assert not is_there(child.pid)


async def test_a_child_whose_process_groups_can_not_be_listened_for_is_given_up(bed: Bed) -> None:
    """Nobody would answer the kernel: the first process of the job that leaves its group would wait for ever."""
    before = open_descriptors()
    child = bed.child("sleep", "600")
    ends = bed._wirings[0].child_ends()
    own = socket.socket(fileno=os.dup(ends.channel))
    socket.send_fds(own, [Ready(pid=child.pid).pack()], [ends.dump])  # epoll refuses a file in memory
    own.close()
    with pytest.raises(LaunchError, match=r"was not ready: .*Operation not permitted"):
        await child.get_ready(LONG_SECONDS)
    await until(lambda: child._closed)
    assert not is_there(child.pid)
    bed.hang_up(child)
    await until(lambda: open_descriptors() == before)


async def a_ready_child(bed: Bed) -> Child:
    child = bed.child("sleep", "600")
    bed.say(child, Ready(pid=child.pid, cpu_seconds=0.25).pack())
    await child.get_ready(LONG_SECONDS)
    return child


async def test_a_child_is_asked_to_join_its_cgroups_and_what_it_takes_for_that_is_not_its_job_s(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = await a_ready_child(bed)
    joining = asyncio.ensure_future(child.join(["/one/a", "/tw\udcff/a"]))
    await asyncio.sleep(0)
    assert not joining.done()
    asked = os.read(bed._wirings[0].child_ends().channel, 1000)
    assert asked == Join().pack(b"/one/a\0/tw\xff/a")
    bed.say(child, Ready(pid=child.pid, cpu_seconds=0.5).pack())
    await joining
    usage = types.SimpleNamespace(ru_maxrss=0, ru_utime=1.5, ru_stime=0.25)
    monkeypatch.setattr(child_module, "wait_for", lambda pid: (pid, 0x700, usage))
    assert child.reap().cpu_seconds == 1.25


async def test_a_child_that_ends_while_it_is_to_join_is_waited_for_no_longer(bed: Bed) -> None:
    child = await a_ready_child(bed)
    bed.hang_up(child)
    await child.join(["/one/a"])


async def test_a_child_that_answers_with_what_is_no_message_is_no_child_for_a_job(bed: Bed) -> None:
    child = await a_ready_child(bed)
    bed.say(child, b"\xff" * 8)
    bed.complain(child, b"last words")
    with pytest.raises(LaunchError, match="was not ready: a header of") as caught:
        await child.join(["/one/a"])
    assert caught.value.evidence == "last words"
