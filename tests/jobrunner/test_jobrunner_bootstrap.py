"""The first steps of a child, taken by a fork of this process: what it has afterwards, and what it does not."""

import contextlib
import faulthandler
import itertools
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobrunner import bootstrap, child, spawn_main
from jobrunner.isolation.child import SpawnedIsolation
from jobrunner.isolation.errors import IsolationError
from jobrunner.protocol import linux
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Descriptors, Discovery
from jobrunner.protocol.exit_codes import NOT_ISOLATED
from jobrunner.protocol.isolation import Isolation
from jobrunner.protocol.messages import Order
from tests.patience import PATIENCE_SECONDS

# Python 3.12 and newer warn of a fork where there are threads, such as those of whoever spreads tests over processes.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

ROOT = Path(__file__).parents[2]


def in_a_fork(work: Callable[[], object]) -> tuple[str, int]:
    """Return what `work` has printed and raised in a fork of this process, and its exit code."""
    said, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(said)
            os.dup2(theirs, 1)
            os.dup2(theirs, 2)
            sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115  # it ends with this process
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
        finally:
            os._exit(77)
    os.close(theirs)
    text = b""
    while part := os.read(said, 10_000):
        text += part
    os.close(said)
    _, status = os.waitpid(pid, 0)
    return text.decode(), os.waitstatus_to_exitcode(status)


def become_child(confinement: Confinement = Confinement()) -> Descriptors:  # noqa: B008  # it is frozen
    channel = os.open(os.devnull, os.O_RDWR)
    return bootstrap.become_child(
        os.getppid(),
        Descriptors(channel, 1, 2, os.memfd_create("dump")),
        confinement,
        SpawnedIsolation(Isolation()),
    )


def seen_by_a_child() -> None:
    stray = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(stray, True)
    descriptors = become_child()
    names = {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}
    status = Path("/proc/self/status").read_text()
    seen = {
        "name": Path("/proc/self/comm").read_text().strip(),
        "descriptors": sorted(map(int, names)),
        "given": [descriptors.channel, descriptors.stdout, descriptors.stderr, descriptors.dump],
        "inheritable": [os.get_inheritable(number) for number in range(5)],
        "stdin": os.path.realpath("/proc/self/fd/0"),
        "dump": "dump" in os.readlink("/proc/self/fd/4"),
        "its own group": os.getpgrp() == os.getpid(),
        "new privileges": "NoNewPrivs:\t0" in status,
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "tells of a crash": faulthandler.is_enabled(),
        "signals": [
            signal.getsignal(n) == signal.SIG_DFL for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        ],
    }
    os.write(1, json.dumps(seen).encode())
    os._exit(0)


def test_a_child_waits_in_a_place_of_its_own_with_nothing_of_others() -> None:
    text, code = in_a_fork(seen_by_a_child)
    assert code == 0, text
    assert json.loads(text) == {
        "name": "neops-spare",
        "descriptors": [0, 1, 2, 3, 4],
        "given": [3, 1, 2, 4],
        "inheritable": [True, True, True, False, False],
        "stdin": "/dev/null",
        "dump": True,
        "its own group": True,
        "new privileges": False,
        "core": [0, 0],
        "tells of a crash": True,
        "signals": [True, True, True],
    }


def test_a_child_whose_supervisor_never_becomes_its_parent_ends_by_itself() -> None:
    def never_adopted() -> None:
        bootstrap.time = Clock()  # type: ignore[assignment]  # of this fork only
        bootstrap.wait_for_adoption(1 if os.getppid() != 1 else 2)

    text, code = in_a_fork(never_adopted)
    assert (text, code) == ("", 1)


class Clock:
    """Goes on by a second with each look, and says when it was asked for the last time."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        assert self.now < 100
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds < 0.001


def test_five_seconds_are_enough_to_be_adopted_and_more_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, ended = Clock(), []

    def end(code: int) -> None:
        ended.append((code, clock.now))
        raise SystemExit

    monkeypatch.setattr(bootstrap, "time", clock)
    monkeypatch.setattr(bootstrap.os, "_exit", end)
    with pytest.raises(SystemExit):
        bootstrap.wait_for_adoption(1 if os.getppid() != 1 else 2)
    assert ended == [(1, 7.0)]  # begun at 1


class Noting(SpawnedIsolation):
    """Says which step it takes."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(Isolation())
        self._note = note

    def prepare(self, first_free: int) -> int:
        self._note("prepared")
        return first_free

    def forbid_escape(self) -> None:
        self._note("no escape")


def test_the_user_is_changed_before_the_privileges_for_it_go_and_the_supervisor_s_death_is_heard_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A change of the user takes PDEATHSIG away (prctl(2))."""
    for user, expected in (
        (None, ["adopted", "prepared", "contained", "no escape"]),
        (61_000, ["adopted", "prepared", "contained", "user 61000", "tied to 4711", "no escape"]),
    ):
        calls: list[str] = []
        note = calls.append
        for name in (
            "reset_signals", "reset_identity", "_tell_place_when_asked", "take_descriptors",
        ):  # fmt: skip
            monkeypatch.setattr(bootstrap, name, lambda *given: given[0] if given else None)
        for owner, name in (
            (bootstrap.os, "setpgid"),
            (bootstrap.linux, "become_subreaper"),
            (bootstrap.linux, "set_process_name"),
            (bootstrap, "close_everything_above"),
        ):
            monkeypatch.setattr(owner, name, lambda *_: None)
        monkeypatch.setattr(bootstrap.faulthandler, "enable", lambda **_: None)
        monkeypatch.setattr(bootstrap, "wait_for_adoption", lambda _, note=note: note("adopted"))
        monkeypatch.setattr(bootstrap, "contain", lambda _, note=note: note("contained"))
        monkeypatch.setattr(bootstrap, "become_user", lambda user, note=note: note(f"user {user}"))
        monkeypatch.setattr(bootstrap, "tie_life_to", lambda pid, note=note: note(f"tied to {pid}"))
        given = Descriptors(1, 2, 3, 4)
        assert bootstrap.become_child(4711, given, Confinement(user=user), Noting(note)) is given
        assert calls == expected


def test_a_spawned_child_that_breaks_says_so_and_how() -> None:
    def breaks() -> None:
        def broken(*_: Any) -> None:
            raise ZeroDivisionError("a mistake of ours")

        spawn_main.become_child = broken  # of this fork only
        os.fork = lambda: 0  # it is the child that breaks
        control, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        spawn_main.run(
            os.getppid(), control.detach(), Descriptors(0, 1, 2, 2), Discovery(()), Confinement(), Isolation()
        )

    text, code = in_a_fork(breaks)
    assert code == 70
    assert "ZeroDivisionError: a mistake of ours" in text


@pytest.mark.parametrize("when", ["while it is set up", "with its order"])
def test_a_child_that_can_not_be_kept_apart_says_why_and_runs_nothing(when: str, tmp_path: Path) -> None:
    mine, theirs = socket.socketpair()
    mine.sendall(an_order(tmp_path).pack())

    def breaks() -> None:
        class Failing(SpawnedIsolation):
            def prepare(self, first_free: int) -> int:
                if when == "while it is set up":
                    raise IsolationError("a set of rules", OSError(12, "Cannot allocate memory"))
                return first_free

            def close_files(self, job_directory: str) -> None:
                raise IsolationError("a set of rules", OSError(12, "Cannot allocate memory"))

        spawn_main.SpawnedIsolation = Failing  # of this fork only
        child.ask_before_leaving_the_group = lambda: None
        child.run_order = lambda *_: os.write(2, b"it runs")
        os.fork = lambda: 0  # it is the child that breaks
        os.setsid = lambda: None
        control, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        linux.die_with_parent = lambda: None
        spawn_main.run(
            os.getppid(),
            control.detach(),
            Descriptors(theirs.detach(), 1, 2, os.memfd_create("dump")),
            Discovery(()),
            Confinement(),
            Isolation(),
        )

    text, code = in_a_fork(breaks)
    theirs.close()
    told = b""
    with mine, contextlib.suppress(ConnectionResetError):  # it had its order, and did not read it
        told = mine.recv(65_536)
    assert code == NOT_ISOLATED
    assert (b"not_isolated" in told) == (when == "with its order")
    assert text == (
        "The job can't be kept apart from the rest of the machine (--isolation kernel): a set of rules: "
        "Cannot allocate memory.\n"
    )


def an_order(directory: Path) -> Order:
    return Order(
        job_id="1",
        block_id="lab/nowhere:1.0.0",
        job_type="execute",
        run_on="global",
        job_directory=str(directory),
        log_level=20,
        result_cap_bytes=1000,
    )


PRINTS = """
import os, sys
from jobrunner.stdio import unbuffer_output
unbuffer_output()
assert sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__
print("half a line \\udce9 \\u2713", end="")
print("to stderr", end="", file=sys.stderr)
sys.stdout.close()
os.write(1, b" and more")
os._exit(0)
"""


def test_what_is_printed_is_utf_8_whatever_the_locale_says_and_closing_the_stream_closes_no_descriptor() -> (
    None
):
    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert done.stdout.decode() == "half a line \\udce9 ✓ and more"
    assert done.stderr == b"to stderr"


def test_where_the_kernel_can_not_close_a_range_every_descriptor_above_is_closed_and_none_below() -> None:
    def closes() -> None:
        linux.close_from = lambda _: False  # of this fork only
        kept, gone = 40, 41
        for number in (kept, gone, 900):
            os.dup2(2, number)
        bootstrap.close_everything_above(kept)
        left = [int(name) for name in os.listdir("/proc/self/fd")]
        os.write(2, f"{kept in left} {max(number for number in left if number != kept)}".encode())

    text, _ = in_a_fork(closes)
    is_kept, highest = text.split()
    assert is_kept == "True"
    assert int(highest) < 40


def adopted_after(looks: int) -> None:
    """Wait on a machine that stands still for a minute between any two looks."""
    parents = itertools.chain([1] * looks, itertools.repeat(2))
    os.getppid = lambda: next(parents)
    bootstrap.time = SimpleNamespace(  # type: ignore[assignment]  # what is used of it
        monotonic=itertools.count(0, 60).__next__, sleep=lambda _: None
    )
    bootstrap.wait_for_adoption(2)
    os.write(1, b"adopted\n")


@pytest.mark.parametrize(
    ("looks", "seen"), [(0, ("adopted\n", 77)), (50, ("adopted\n", 77)), (1000, ("", 1))]
)
def test_a_child_whose_machine_stood_still_while_it_waited_for_its_parent_goes_on(
    looks: int, seen: tuple[str, int]
) -> None:
    assert in_a_fork(lambda: adopted_after(looks)) == seen
