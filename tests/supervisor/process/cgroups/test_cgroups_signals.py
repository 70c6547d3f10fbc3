"""In which order a cgroup's processes are signalled, and that none is that has left it meanwhile.

Plain files stand for a cgroup without `cgroup.kill`; the processes are real.
"""

import contextlib
import itertools
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobrunner.protocol.masking import Mask
from supervisor.process.cgroups import cgroup as cgroup_module
from supervisor.process.cgroups import files, leftovers
from supervisor.process.cgroups.cgroup import Cgroup, Tree
from supervisor.process.cgroups.identity import MARKER_VARIABLE
from supervisor.process.proc import living_thread, read_stat
from supervisor.watch.kernel import look_into_kernel
from tests.patience import wait_until

BOUND_SECONDS = 50.0
IDENTITY = f"{os.getpid():016x}"


@pytest.fixture
def pair() -> Iterator[list[int]]:
    """Two processes with a worker's mark."""
    command = [sys.executable, "-I", "-S", "-c", "print('ready', flush=True); import time; time.sleep(600)"]
    processes = [
        subprocess.Popen(command, env={MARKER_VARIABLE: IDENTITY}, stdout=subprocess.PIPE) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    yield [process.pid for process in processes]
    for process in processes:
        process.kill()
        process.communicate()


HEADLESS = """
import ctypes, os, platform, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
print("ready", flush=True)
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)  # of the first thread only
"""


def test_what_has_the_mark_is_found_when_its_first_thread_has_ended() -> None:
    """Under its own number /proc shows no environment of it any more."""
    mark = f"{IDENTITY}f"
    command = [sys.executable, "-I", "-S", "-c", HEADLESS]
    with subprocess.Popen(command, env={MARKER_VARIABLE: mark}, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            end = time.monotonic() + BOUND_SECONDS
            while (stat := read_stat(process.pid)) is None or stat.state != "Z":
                assert time.monotonic() < end
            # It has said so before it fell asleep.
            wait_until(lambda: look_into_kernel(process.pid, Mask()).state == "S", "the other thread sleeps")
            assert leftovers.kill_marked(mark) == ({process.pid}, 0)
            assert living_thread(process.pid) == process.pid
        finally:
            process.kill()


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Pid and signal of what is sent through descriptors, in this order."""
    sent: list[tuple[int, int]] = []
    send = signal.pidfd_send_signal

    def watched(descriptor: int, number: int) -> None:
        lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
        sent.append((next(int(line.split()[1]) for line in lines if "Pid:" in line), number))
        send(descriptor, number)

    monkeypatch.setattr(signal, "pidfd_send_signal", watched)
    return sent


def open_descriptors() -> set[str]:
    return {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}


def wait_for_end(pids: list[int]) -> None:
    for pid in pids:
        descriptor = os.pidfd_open(pid)
        assert select.select([descriptor], [], [], BOUND_SECONDS)[0]
        os.close(descriptor)


def holding(directory: Path, pids: list[int]) -> Path:
    """Make `directory` look like a cgroup with these processes."""
    directory.mkdir(exist_ok=True)
    (directory / files.PROCESSES).write_text("".join(f"{pid}\n" for pid in pids))
    return directory


def test_all_are_stopped_before_one_is_killed(
    tmp_path: Path, pair: list[int], signals: list[tuple[int, int]]
) -> None:
    before = open_descriptors()
    assert files.kill(holding(tmp_path, pair)) == set(pair)
    assert [number for _, number in signals] == [signal.SIGSTOP] * 2 + [signal.SIGKILL] * 2
    assert {pid for pid, _ in signals[:2]} == {pid for pid, _ in signals[2:]} == set(pair)
    wait_for_end(pair)
    assert open_descriptors() == before


def test_what_has_left_when_its_number_is_opened_is_not_signalled(
    tmp_path: Path, pair: list[int], signals: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a stranger's number by then."""
    stays, _ = pair
    directory = holding(tmp_path, pair)
    pidfd_open = os.pidfd_open

    def leave_meanwhile(pid: int) -> int:
        holding(directory, [stays])
        return pidfd_open(pid)

    monkeypatch.setattr(os, "pidfd_open", leave_meanwhile)
    assert files.kill(directory) == set(pair)
    assert signals == [(stays, signal.SIGSTOP), (stays, signal.SIGKILL)]


def test_where_the_kernel_kills_a_cgroup_as_one_nothing_is_signalled(
    tmp_path: Path, pair: list[int], signals: list[tuple[int, int]]
) -> None:
    (holding(tmp_path, pair) / files.KILL).touch()
    assert files.kill(tmp_path) == set(pair)
    assert (tmp_path / files.KILL).read_text() == "1"
    assert signals == []


def test_an_empty_cgroup_is_not_killed(tmp_path: Path) -> None:
    (holding(tmp_path, []) / files.KILL).touch()
    assert files.kill(tmp_path) == set()
    assert (tmp_path / files.KILL).read_text() == ""


def test_a_number_of_another_namespace_is_no_process(tmp_path: Path) -> None:
    assert files.processes(holding(tmp_path, [0, 5])) == {5}


def test_a_cgroup_that_does_not_go_is_tried_again_after_pauses_and_given_up_after_its_time(
    tmp_path: Path, pair: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0, tries=0)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    def kill(_: Path) -> set[int]:
        clock.tries += 1
        assert clock.tries < 1000
        return set(pair)

    monkeypatch.setattr(files, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    monkeypatch.setattr(files, "kill", kill)
    monkeypatch.setattr(files, "remove", lambda _: False)
    assert files.kill_and_remove(tmp_path, 1.0) == (set(pair), False)
    assert 1.0 < clock.now < 1.01
    assert clock.tries > 100


def test_a_cgroup_is_killed_before_each_try_to_remove_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    killed = iter([{1, 2}, {3}, set()])

    def kill(_: Path) -> set[int]:
        calls.append("kill")
        return next(killed)

    def remove(_: Path) -> bool:
        calls.append("remove")
        return len(calls) == 6

    monkeypatch.setattr(files, "kill", kill)
    monkeypatch.setattr(files, "remove", remove)
    assert files.kill_and_remove(tmp_path, BOUND_SECONDS) == ({1, 2, 3}, True)
    assert calls == ["kill", "remove"] * 3


@pytest.mark.parametrize("order", [1, -1])
def test_the_tree_that_can_kill_as_one_is_killed_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    killed: list[str] = []

    def kill(directory: str) -> set[int]:
        killed.append(Path(directory).parent.name)
        return {len(killed)}

    monkeypatch.setattr(cgroup_module.files, "kill", kill)
    trees = (
        Tree(tmp_path / "memory", 1, frozenset({"memory"})),
        Tree(tmp_path / "unified", 2, frozenset({"kill"})),
        Tree(tmp_path / "pids", 1, frozenset({"pids"})),
    )
    cgroup = Cgroup((), "child", None, lambda _: None)
    cgroup._joined = trees[::order]
    assert cgroup.kill() == {1, 2, 3}
    assert killed[0] == "unified"
    assert sorted(killed) == ["memory", "pids", "unified"]


def test_where_one_tree_can_kill_it_alone_is_asked_what_is_alive(tmp_path: Path) -> None:
    cgroup = Cgroup((), "child", None, lambda _: None)
    cgroup._joined = (
        Tree(tmp_path / "memory", 1, frozenset({"memory"})),
        Tree(tmp_path / "unified", 2, frozenset({"kill"})),
    )
    for number, name in enumerate(("memory", "unified"), 1):
        (tmp_path / name).mkdir()
        holding(tmp_path / name / "child", [number])
    assert cgroup.processes() == {2}
    cgroup._joined = cgroup._joined[:1]
    assert cgroup.processes() == {1}


def test_of_an_earlier_run_all_are_stopped_before_one_is_killed(
    pair: list[int], signals: list[tuple[int, int]]
) -> None:
    before = open_descriptors()
    assert leftovers.kill_marked(IDENTITY) == (set(pair), 0)
    kills = [index for index, (_, number) in enumerate(signals) if number == signal.SIGKILL]
    assert {pid for pid, number in signals[: kills[0]] if number == signal.SIGSTOP} == set(pair)
    assert {pid for pid, number in signals if number == signal.SIGKILL} == set(pair)
    assert open_descriptors() == before


def test_a_number_that_was_given_away_before_it_was_opened_is_not_signalled(
    pair: list[int], signals: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: dict[str, int] = {}

    def marked_once(name: str, mark: bytes) -> bool:
        assert mark == f"{MARKER_VARIABLE}={IDENTITY}".encode()
        looks[name] = looks.get(name, 0) + 1
        return name == str(pair[0]) and looks[name] == 1

    monkeypatch.setattr(leftovers, "_is_marked", marked_once)
    assert leftovers.kill_marked(IDENTITY) == (set(), 0)
    assert looks[str(pair[0])] == 2
    assert signals == []


def test_what_can_not_be_ended_is_counted_and_not_tried_for_ever(
    pair: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count(step=2)  # each look at the clock
    monkeypatch.setattr(leftovers, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    monkeypatch.setattr(leftovers, "_wait", lambda *_: None)
    monkeypatch.setattr(leftovers.signal, "pidfd_send_signal", lambda *_: None)
    killed, left = leftovers.kill_marked(IDENTITY)
    assert (killed, left) == (set(pair), 2)


def test_the_wait_for_the_killed_ends_with_the_last_of_them(
    pair: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look that came too early would find dying processes, and kill and count on."""
    looks = 0
    open_marked = leftovers._open_marked

    def counting(mark: bytes, spared: set[int], opened: contextlib.ExitStack) -> dict[int, int]:
        nonlocal looks
        looks += 1
        return open_marked(mark, spared, opened)

    monkeypatch.setattr(leftovers, "_open_marked", counting)
    leftovers.kill_marked(IDENTITY)
    assert looks == 2


def test_nobody_waits_for_processes_that_have_ended(pair: list[int]) -> None:
    with contextlib.ExitStack() as opened:
        descriptors = [os.pidfd_open(pid) for pid in pair]
        for descriptor in descriptors:
            opened.callback(os.close, descriptor)
        for pid in pair:
            os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + BOUND_SECONDS / 5
        leftovers._wait(descriptors, end)
        assert time.monotonic() < end
        assert [select.select([descriptor], [], [], 0)[0] for descriptor in descriptors] == [
            [descriptor] for descriptor in descriptors
        ]


def test_what_a_job_has_made_below_its_cgroup_is_removed_with_it_and_what_does_not_go_is_told(
    tmp_path: Path,
) -> None:
    (tmp_path / "gone" / "by" / "job").mkdir(parents=True)
    assert files.remove(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
    (tmp_path / "held" / "by").mkdir(parents=True)
    (tmp_path / "held" / "by" / "file").touch()
    assert not files.remove(tmp_path / "held")
    assert files.remove(tmp_path / "never there")


def test_an_empty_cgroup_is_gone_with_the_first_try(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    assert files.remove(tmp_path / "job")
    assert not (tmp_path / "job").exists()
    assert files.remove(tmp_path / "job")
