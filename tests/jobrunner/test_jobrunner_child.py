"""The life of one child, without a template: what it says, what it waits for, and how it ends."""

import asyncio
import contextlib
import errno
import logging
import os
import select
import signal
import socket
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobrunner import child as child_module
from jobrunner import job as job_module
from jobrunner.channel import Channel
from jobrunner.isolation.child import SpawnedIsolation
from jobrunner.protocol import kernel_files
from jobrunner.protocol.entry import Descriptors
from jobrunner.protocol.frames import receive_frame
from jobrunner.protocol.isolation import Isolation
from jobrunner.protocol.messages import Begin, Cancel, Join, Log, Order, Outcome, Ready, from_child
from tests.patience import PATIENCE_SECONDS, wait_until

# Python 3.12 and newer warn of a fork where there are threads, such as those of whoever spreads tests over processes.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

Work = Callable[[Channel, Order], None]


@dataclass
class StartedChild:
    """A child, as its supervisor holds it."""

    pid: int
    channel: socket.socket
    output: int

    def heard(self) -> object:
        return from_child(receive_frame(self.channel, 10**6))

    def code(self) -> int:
        """Wait for its end."""
        found: list[int] = []

        def ended() -> bool:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            found.append(status)
            return pid == self.pid

        wait_until(ended)
        return os.waitstatus_to_exitcode(found[-1])

    def printed(self) -> str:
        """Everything, as soon as it has ended."""
        printed = b""
        while part := os.read(self.output, 10_000):
            printed += part
        return printed.decode()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., StartedChild]]:
    started: list[StartedChild] = []
    monkeypatch.setattr(child_module, "ask_before_leaving_the_group", lambda: None)
    # It would run what a test puts in the place of a part of a job.
    monkeypatch.setattr(child_module, "rehearse", lambda: None)

    def start(work: Work | None = None) -> StartedChild:
        if work is not None:
            monkeypatch.setattr(child_module, "run_order", work)
        near, far = socket.socketpair()
        output, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            near.close()
            os.dup2(theirs, 1)
            os.dup2(theirs, 2)
            os.close(theirs)
            try:
                child_module.live(
                    Descriptors(far.detach(), 1, 2, os.memfd_create("dump")),
                    None,
                    SpawnedIsolation(Isolation()),
                )
            except BaseException:
                traceback.print_exc()  # as `jobrunner.bootstrap.live_or_end` does
            finally:
                os._exit(77)  # nothing of a test may go on here
        far.close()
        os.close(theirs)
        near.settimeout(PATIENCE_SECONDS)
        started.append(StartedChild(pid, near, output))
        return started[-1]

    yield start
    for one in started:
        one.channel.close()
        os.close(one.output)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)


def order(directory: Path, block_id: str = "lab/nowhere:1.0.0") -> Order:
    return Order(
        job_id="1",
        block_id=block_id,
        job_type="execute",
        run_on="global",
        job_directory=str(directory),
        log_level=20,
        result_cap_bytes=1000,
    )


def begin(payload: bytes = b"{}") -> bytes:
    return Begin(deadline=0.0).pack(payload)


def test_a_spare_that_is_given_up_has_said_that_it_is_ready_and_ends_in_silence(
    start: Callable[..., StartedChild],
) -> None:
    spare = start()
    ready = spare.heard()
    assert isinstance(ready, Ready)
    assert ready.pid == spare.pid
    spare.channel.close()
    assert (spare.code(), spare.printed()) == (0, "")


def test_what_is_no_order_starts_nothing(start: Callable[..., StartedChild]) -> None:
    spare = start(lambda *_: os._exit(3))
    spare.heard()
    spare.channel.sendall(Cancel(reason="too late").pack())
    assert (spare.code(), spare.printed()) == (0, "")


@pytest.mark.parametrize("block_id", ["lab/nowhere:1.0.0", "neops/rehearsal:1.0.0"])
def test_an_order_gives_one_outcome_and_the_child_ends(
    start: Callable[..., StartedChild], tmp_path: Path, block_id: str
) -> None:
    child = start()
    child.heard()
    child.channel.sendall(order(tmp_path, block_id).pack() + begin(b'{"parameters": {}, "context": {}}'))
    outcome = child.heard()
    assert isinstance(outcome, Outcome)
    assert f"{block_id} is not in this child" in outcome.message
    assert child.code() == 0
    assert child.channel.recv(1) == b""


def test_a_child_that_can_have_no_event_loop_ends_with_the_reason_and_not_with_what_follows_from_it(
    start: Callable[..., StartedChild], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))

    monkeypatch.setattr(asyncio.events, "new_event_loop", refuse)
    child = start()
    child.heard()
    child.channel.sendall(order(tmp_path).pack() + begin())
    assert child.code() != 0
    assert child.printed().rstrip().splitlines()[-1].endswith("Too many open files in system")


def awaits_its_payload(child: StartedChild, directory: Path) -> bool:
    """Whether it is ready for its job, and asleep."""
    about = Path(f"/proc/{child.pid}")
    stat = (about / "stat").read_text()
    is_asleep = stat.rpartition(")")[2].split()[0] == "S"
    return is_asleep and "(neops-job)" in stat and os.readlink(about / "cwd") == str(directory)


def test_a_child_gets_ready_with_its_order_and_runs_when_it_may_begin(
    start: Callable[..., StartedChild], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its order waits for is on the disk then: a job that may have changed a device is known to the next start."""
    begun = tmp_path / "begun"

    async def block(*_: object) -> object:
        begun.touch()
        return job_module.failed("it has run")

    monkeypatch.setattr(job_module, "_run_block", block)
    child = start()
    child.heard()
    child.channel.sendall(order(tmp_path).pack())
    wait_until(lambda: awaits_its_payload(child, tmp_path))
    assert select.select([child.channel], [], [], 0)[0] == []
    assert not begun.exists()
    child.channel.sendall(begin())
    outcome = child.heard()
    assert isinstance(outcome, Outcome)
    assert (outcome.message, begun.exists(), child.code()) == ("it has run", True, 0)


@pytest.mark.parametrize("instead", [b"", Cancel(reason="too late").pack(), b"\0\0"])
def test_a_child_that_may_not_begin_after_all_ends_in_silence(
    start: Callable[..., StartedChild], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instead: bytes
) -> None:
    monkeypatch.setattr(job_module, "_run_until_cancelled", lambda *_: os._exit(3))
    child = start()
    child.heard()
    child.channel.sendall(order(tmp_path).pack())
    wait_until(lambda: awaits_its_payload(child, tmp_path))
    child.channel.sendall(instead)
    child.channel.shutdown(socket.SHUT_WR)
    assert (child.code(), child.printed()) == (0, "")
    assert child.channel.recv(1) == b""


@pytest.fixture
def dump(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where a cancelled job writes its stack. In a true child that is a number which is somebody else's here."""
    dump = os.memfd_create("dump")
    monkeypatch.setattr(job_module, "DUMP_DESCRIPTOR", dump)
    yield dump
    os.close(dump)


async def never_ends(*_: object) -> None:
    await asyncio.sleep(600)


async def cancels_itself(*_: object) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(600)


def test_a_job_that_is_cancelled_says_where_it_was_and_why(
    start: Callable[..., StartedChild], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dump: int
) -> None:
    monkeypatch.setattr(job_module, "_run_block", never_ends)
    child = start()
    child.heard()
    child.channel.sendall(order(tmp_path).pack() + begin() + Cancel(reason="its time is over").pack())
    outcome = child.heard()
    assert isinstance(outcome, Outcome)
    assert (outcome.success, outcome.message) == (False, "Cancelled: its time is over.")
    assert b"in never_ends" in os.pread(dump, 10_000, 0)
    assert child.code() == 0


def test_a_job_that_cancels_itself_is_told_what_it_has_done(
    start: Callable[..., StartedChild], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "_run_block", cancels_itself)
    child = start()
    child.heard()
    child.channel.sendall(order(tmp_path).pack() + begin())
    outcome = child.heard()
    assert isinstance(outcome, Outcome)
    assert not outcome.success
    assert outcome.message.startswith("lab/nowhere:1.0.0 cancelled the task that runs it")


def tells_where_it_is(channel: Channel, order: Order) -> None:
    logging.getLogger("lab").info("logged")
    _, payload = job_module._begun(channel)
    facts = [Path("/proc/self/comm").read_text().strip(), os.getcwd(), os.environ["HOME"], payload.decode()]
    print(*facts, sep="\n", end="")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_job_runs_in_its_own_place_and_what_it_prints_and_logs_is_there_before_its_end(
    start: Callable[..., StartedChild], tmp_path: Path
) -> None:
    child = start(tells_where_it_is)
    child.heard()
    child.channel.sendall(order(tmp_path).pack() + begin(b"what was ordered"))
    logged = child.heard()
    assert isinstance(logged, Log)
    assert (logged.text, logged.logger) == ("logged", "lab")
    assert child.code() == -signal.SIGKILL
    assert child.printed().split("\n") == ["neops-job", str(tmp_path), str(tmp_path), "what was ordered"]


def test_the_supervisor_gets_what_answers_for_the_child_s_groups_and_the_child_keeps_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A block that had it could let itself go."""
    read, write = os.pipe()
    monkeypatch.setattr(child_module, "ask_before_leaving_the_group", lambda: write)
    near, far = socket.socketpair()
    with near:
        child_module._get_ready(channel := Channel(far.detach()))
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(write)
        _, (passed,), _, _ = socket.recv_fds(near, 1000, 2)
        os.write(passed, b"answered")
        assert os.read(read, 100) == b"answered"
        channel.close()
    os.close(passed)
    os.close(read)


def test_a_child_that_is_to_join_cgroups_makes_each_that_it_can_and_waits_for_its_order_then(
    start: Callable[..., StartedChild], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_files, "write", lambda path, text: Path(path).write_text(text))
    child = start()
    child.heard()
    wanted = [tmp_path / "no" / "such", tmp_path / "one", tmp_path / "tw\udcff"]
    child.channel.sendall(Join().pack(b"\0".join(map(os.fsencode, wanted))))
    again = child.heard()
    assert isinstance(again, Ready)
    assert again.pid == child.pid
    assert [(path / "cgroup.procs").read_text() for path in wanted[1:]] == ["0", "0"]
    child.channel.sendall(order(tmp_path).pack() + begin(b'{"parameters": {}, "context": {}}'))
    assert isinstance(child.heard(), Outcome)
    assert child.code() == 0
