"""What a job holds in memory, wherever it holds it, and nothing that is the template's or another job's."""

import contextlib
import ctypes
import gc
import itertools
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.process import memory as memory_module
from supervisor.process import shared_memory as shared_memory_module
from supervisor.process.memory import (
    Inheritance,
    Inherited,
    Mapped,
    memory_of,
    most_of_files,
    resident_bytes,
    sum_of,
)
from supervisor.process.proc import tree_below
from supervisor.process.shared_memory import files_held
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
MB = 2**20
BALLAST_MB = 40
SIZE_MB = 60
NEAR_MB = 12
"""How far from the truth a figure may be."""

Keeps = Callable[[], Any]
Job = Callable[[Keeps], tuple[int, ...]]


class Template:
    """This process with some ballast, which its forks have as well."""

    def __init__(self) -> None:
        self._ballast = bytearray(os.urandom(MB)) * BALLAST_MB
        self.inherited = Inherited(resident_bytes(os.getpid()))
        self.started: list[int] = []

    def fork(self, keeps: Keeps) -> int:
        """Start a process that keeps what `keeps` returns. It is there when this returns."""
        ready, done = os.pipe()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                os.close(ready)
                kept = keeps()
                os.write(done, b"x")
                time.sleep(600)
                del kept
            os._exit(1)
        os.close(done)
        self.started.append(pid)
        assert os.read(ready, 1) == b"x"
        os.close(ready)
        return pid

    def end(self, pid: int) -> None:
        self.started.remove(pid)
        for each in reversed(tree_below((pid,)).parents):
            os.kill(each, signal.SIGKILL)
        os.waitpid(pid, 0)

    def megabytes_of(self, keeps: Keeps) -> float:
        """Return the figure of a job that does this."""
        pid = self.fork(keeps)
        try:
            held, missed = memory_of(tree_below((pid,)).parents, Inheritance(self.inherited))
        finally:
            self.end(pid)
        assert missed is None
        return held / MB


WORKER = "PYTEST_XDIST_WORKER"


def test_the_figures_are_right_in_a_process_that_has_run_no_other_tests() -> None:
    """What a fork has of a process that works on, and is large, is no figure that could be told beforehand."""
    if WORKER not in os.environ:
        pytest.skip("this process has run no other tests")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout


@pytest.fixture
def template() -> Iterator[Template]:
    if WORKER in os.environ:
        pytest.skip("measured in a process of its own, by the first test")
    # A collection of garbage, here or in a fork, writes to all pages of this process, which may be large: the copies
    # are of one process alone then.
    gc.disable()
    template = Template()
    yield template
    for pid in list(template.started):
        template.end(pid)
    gc.enable()


def private() -> bytes:
    return b"x" * (SIZE_MB * MB)


def written_memfd() -> int:
    descriptor = os.memfd_create("test")
    os.write(descriptor, b"x" * (SIZE_MB * MB))
    return descriptor


def _touched(mapped: mmap.mmap) -> mmap.mmap:
    for place in range(0, len(mapped), mmap.PAGESIZE):
        mapped[place] = 1
    return mapped


def mapped_memfd() -> tuple[int, mmap.mmap]:
    descriptor = os.memfd_create("test")
    os.ftruncate(descriptor, SIZE_MB * MB)
    return descriptor, _touched(mmap.mmap(descriptor, SIZE_MB * MB))


def shared() -> mmap.mmap:
    return _touched(mmap.mmap(-1, SIZE_MB * MB))


def in_shared_directory() -> int:
    descriptor = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(descriptor, b"x" * (SIZE_MB * MB))
    return descriptor


def with_descendants(keeps: Keeps, number: int = 2) -> Keeps:
    """The same, by a job whose descendants have it too."""

    def kept() -> Any:
        kept = keeps()
        if isinstance(kept, tuple):
            kept = kept[1]
        for _ in range(number):
            ready, done = os.pipe()
            if os.fork() == 0:
                if isinstance(kept, mmap.mmap):
                    _touched(kept)
                os.write(done, b"x")
                time.sleep(600)
            os.read(ready, 1)
        return kept

    return kept


@pytest.mark.parametrize(
    "keeps",
    [private, written_memfd, mapped_memfd, shared, in_shared_directory],
    ids=lambda keeps: keeps.__name__,
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "with descendants"])
def test_what_a_job_holds_is_counted_once_wherever_it_is(
    template: Template, keeps: Keeps, alone: bool
) -> None:
    held = template.megabytes_of(keeps if alone else with_descendants(keeps))
    assert held == pytest.approx(SIZE_MB, abs=NEAR_MB)


def test_memory_of_several_kinds_adds_up(template: Template) -> None:
    held = template.megabytes_of(lambda: (private(), written_memfd()))
    assert held == pytest.approx(2 * SIZE_MB, abs=NEAR_MB)


def test_the_figure_of_an_idle_child_is_small_and_stays_when_its_siblings_end(template: Template) -> None:
    siblings = [template.fork(lambda: True) for _ in range(3)]
    pid = template.fork(lambda: True)
    first, _ = memory_of((pid,), Inheritance(template.inherited))
    for sibling in siblings:
        template.end(sibling)
    last, _ = memory_of((pid,), Inheritance(template.inherited))
    assert first < 5 * MB
    assert abs(last - first) < 2 * MB


def test_what_a_child_has_from_its_template_is_not_its_own_when_the_template_is_gone() -> None:
    """Then nobody else has those pages: the kernel calls them private."""
    inherited = Inherited(300 * MB, others_have_it=False)
    alone = Mapped(private_bytes=304 * MB, anonymous_share_bytes=302 * MB)
    assert sum_of(alone, 0, Mapped(), Inheritance(inherited), 1) == 4 * MB
    assert sum_of(alone, 200 * MB, Mapped(), Inheritance(inherited), 1) == 204 * MB
    inherited.others_have_it = True
    assert sum_of(alone, 0, Mapped(), Inheritance(inherited), 1) == 304 * MB


@pytest.mark.parametrize("descendants", [0, 2])
def test_the_figures_of_siblings_stay_as_they_were_when_their_template_is_gone_and_when_one_is_left(
    descendants: int,
) -> None:
    """The template is a process of its own here, which ends. Its forks write to a part of what they have from it."""
    if WORKER in os.environ:
        pytest.skip("measured in a process of its own, by the first test")
    reports, told = os.pipe()
    template = os.fork()
    if template == 0:
        with contextlib.suppress(BaseException):
            _be_a_template(told, descendants)
        os._exit(1)
    os.close(told)
    with open(reports, "rb") as lines:
        anonymous, *pids = (int(each) for each in lines.readline().split())
    inherited = Inherited(anonymous)
    jobs = {pid: Inheritance(inherited) for pid in pids}
    try:

        def figures() -> dict[int, float]:
            return {
                pid: memory_of(tree_below((pid,)).parents, each)[0] / MB
                for pid, each in jobs.items()
                if pid in pids
            }

        before = [figures() for _ in range(2)][-1]
        inherited.others_have_it = False
        os.kill(template, signal.SIGKILL)
        os.waitpid(template, 0)
        assert figures() == pytest.approx(before, abs=3)
        gone = pids.pop()
        _kill_tree(gone)
        del before[gone]
        assert figures() == pytest.approx(before, abs=3)
        # What only a job's forks share may be missing, as far as it can be the template's: see docs/adr/0027.
        least = 6 if descendants else WRITTEN_MB - 1
        assert all(least < each < WRITTEN_MB + 20 for each in before.values()), before
    finally:
        for pid in pids:
            _kill_tree(pid)


WRITTEN_MB = 14


def _be_a_template(told: int, descendants: int) -> None:
    gc.disable()  # it writes to all pages
    ballast = [bytearray(os.urandom(MB)) for _ in range(BALLAST_MB)]
    pids = []
    for _ in range(3):
        ready, done = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(told)
            own = bytearray(b"x" * (6 * MB))
            for each in ballast[: WRITTEN_MB - 6]:
                each[:: mmap.PAGESIZE] = bytes(len(range(0, MB, mmap.PAGESIZE)))
            for _ in range(descendants):
                started, there = os.pipe()
                if os.fork() == 0:
                    os.write(there, b"x")
                    time.sleep(600)
                os.read(started, 1)
            os.write(done, b"x")
            time.sleep(600)
            del own
        os.read(ready, 1)
        pids.append(pid)
    os.write(told, " ".join(map(str, (resident_bytes(os.getpid()), *pids))).encode() + b"\n")
    time.sleep(600)


def _kill_tree(pid: int) -> None:
    for each in reversed(tree_below((pid,)).parents):
        os.kill(each, signal.SIGKILL)


def test_a_share_of_the_template_is_never_taken_for_the_job_s_own() -> None:
    for others in range(1, 6):
        for processes in range(1, 6):
            share = 100 * MB * processes // (processes + others)
            mapped = Mapped(private_bytes=3 * MB, anonymous_share_bytes=share + 3 * MB)
            assert sum_of(mapped, 0, Mapped(), Inheritance(Inherited(100 * MB)), processes) <= 3 * MB + 1


MAPPED_MB = 4


def mapped_very_often() -> tuple[int, bytes]:
    """A file of which 4 MB are mapped 3,000 times, and as much memory as in `private`."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *(ctypes.c_int,) * 3, ctypes.c_long)
    descriptor = os.memfd_create("test")
    os.write(descriptor, b"x" * (MAPPED_MB * MB))
    for number in range(3000):  # with other rights each time: the kernel joins those that are the same
        rights = mmap.PROT_READ | (mmap.PROT_WRITE if number % 2 else 0)
        how = mmap.MAP_SHARED | (0 if number else mmap.MAP_POPULATE)
        libc.mmap(None, MAPPED_MB * MB, rights, how, descriptor, 0)
    return descriptor, private()


def test_of_a_job_with_very_many_maps_a_look_reads_a_part_and_counts_what_it_holds_at_least(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    parts = shared_memory_module.kernel_files.parts

    def counted(path: str) -> Generator[bytes, None, None]:
        for part in parts(path):
            read.append(len(part))
            yield part

    monkeypatch.setattr(shared_memory_module.kernel_files, "parts", counted)
    monkeypatch.setattr(
        memory_module, "LOOK_SECONDS", PATIENCE_SECONDS
    )  # what is tested here is the other bound
    pid = template.fork(mapped_very_often)
    whole, _ = memory_of((pid,), Inheritance(template.inherited), maps_bytes=100 * MB)
    whole_bytes, read[:] = sum(read), []
    bounded, _ = memory_of((pid,), Inheritance(template.inherited), maps_bytes=MB // 4)
    assert whole_bytes > 2 * MB  # otherwise this shows nothing
    assert MB // 4 <= sum(read) < MB // 2
    assert whole < (SIZE_MB + MAPPED_MB + NEAR_MB) * MB
    # What the template writes meanwhile becomes the child's alone.
    assert SIZE_MB * MB <= bounded <= whole + MB


def test_where_maps_are_not_read_nothing_is_counted_twice_and_nothing_above_the_truth() -> None:
    """For every split of a job's memory in what is mapped of its files, not mapped, and not of files."""
    for mapped, unmapped, other, anonymous in itertools.product(range(0, 300, 50), repeat=4):
        total = Mapped(mapped + other + anonymous, anonymous, mapped + other)
        files = mapped + unmapped
        private, share = most_of_files(total)
        most = Mapped(min(private, files), 0, min(share, files))
        held = sum_of(total, files, most, Inheritance(Inherited(0)), 1)
        assert anonymous + max(files, mapped + other) == held <= mapped + unmapped + other + anonymous


def test_a_look_that_takes_long_comes_to_no_further_process_of_the_job(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = [template.fork(private) for _ in range(3)]
    monkeypatch.setattr(memory_module, "LOOK_SECONDS", -1.0)
    held, missed = memory_of(pids, Inheritance(template.inherited))
    assert missed is None
    assert SIZE_MB * MB <= held < (SIZE_MB + NEAR_MB) * MB


def test_a_file_that_is_only_read_is_somebody_else_s(tmp_path: Path) -> None:
    descriptor = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(descriptor, b"x" * MB)
    with open(f"/proc/self/fd/{descriptor}", "rb") as reading:
        assert len(files_held(os.getpid())) == 1
        os.close(descriptor)
        assert files_held(os.getpid()) == {}
        assert reading.read(1) == b"x"


def test_among_very_many_descriptors_a_file_is_found_after_some_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    descriptor = os.memfd_create("test")
    os.write(descriptor, b"x" * MB)
    monkeypatch.setattr(shared_memory_module, "_MOST_LINKS", 1)
    monkeypatch.setattr(shared_memory_module, "_LEAST_LINKS", 1)
    followed: list[str] = []
    follow = shared_memory_module._file_behind
    monkeypatch.setattr(
        shared_memory_module, "_file_behind", lambda link: followed.append(link) or follow(link)
    )
    looks = 0
    while not files_held(os.getpid()):
        looks += 1
        assert looks < 10_000
    assert len(followed) == looks + 1
    os.close(descriptor)


def test_where_the_maps_may_not_be_read_the_figure_is_what_everybody_may_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(path: str) -> bytes:
        raise PermissionError(path)

    monkeypatch.setattr(memory_module.kernel_files, "read", refused)
    monkeypatch.setattr(memory_module, "resident_bytes", lambda _, kind: {"RssAnon": 5, "RssShmem": 2}[kind])
    assert memory_module.mapped_by(1) == Mapped(7, 5, 2)


def test_what_has_ended_counts_nothing_and_what_can_not_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert memory_of((2**22 + 1,)) == (0, None)
    mapped_by = memory_module.mapped_by

    def refused_of_others(pid: int) -> Mapped:
        if pid != os.getpid():
            raise OSError("no descriptor")
        return mapped_by(pid)

    monkeypatch.setattr(memory_module, "mapped_by", refused_of_others)
    held, missed = memory_of((os.getpid(), os.getppid()))
    assert held > MB
    assert str(missed) == "no descriptor"
    with pytest.raises(OSError, match="no descriptor"):
        memory_of((os.getppid(),))
