"""Reads the tree below a process from /proc, and signals its members without hitting another process."""

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import psutil

from jobrunner.protocol import kernel_files

_DEAD: Final = frozenset("ZX")
_STOPPED: Final = frozenset("Tt")
_PAUSE_SECONDS: Final = 0.0005


@dataclass(slots=True)
class Tree:
    """Living processes by pid, with their parents. `tasks` counts their threads, the first thread included.

    `complete` is false if the walk stopped because there were more tasks than it had to count. `missed`: why a part
    could not be read although it may exist, for example because no descriptor was left. Then there may be more.
    """

    parents: dict[int, int] = field(default_factory=dict)
    tasks: int = 0
    complete: bool = True
    missed: OSError | None = None


def tree_below(roots: Iterable[int], *, most_tasks: int | None = None) -> Tree:
    """Walk down from `roots`, which are part of the tree. Takes about 50 us for each process: not for the loop.

    It follows the kernel's lists of children and does not scan /proc, so a busy machine does not slow it down. A walk
    with a limit takes the same time however large a bomb is. It may miss processes that come and go: walk again.
    """
    tree = Tree()
    waiting = [(pid, os.getpid()) for pid in roots]
    while waiting:
        pid, parent = waiting.pop()
        if pid in tree.parents or (threads := _threads(pid, tree)) is None:
            continue
        tree.parents[pid] = parent
        tree.tasks += len(threads)
        if most_tasks is not None and tree.tasks > most_tasks:
            tree.complete = False
            return tree
        for thread in threads:
            waiting.extend((child, pid) for child in _children(pid, thread, tree))
    return tree


def _threads(pid: int, tree: Tree | None = None) -> list[str] | None:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError as error:
        _note(error, tree)
        return None


def _note(error: OSError, tree: Tree | None) -> None:
    """Note in the tree that something was missed, not only gone. A caller that walks again needs no note."""
    if tree is not None and not isinstance(error, FileNotFoundError | ProcessLookupError):
        tree.missed = error


def children_of_thread(pid: int, thread: str) -> list[int]:
    """Return the children of one thread of a process, with unreaped dead ones; none if the thread is gone.

    Raises `OSError` if the kernel's list can't be read for another reason, such as no descriptor left.
    """
    try:
        return [int(child) for child in kernel_files.read(f"/proc/{pid}/task/{thread}/children").split()]
    except FileNotFoundError:
        return _children_by_scan(pid) if thread == str(pid) and os.path.exists(f"/proc/{pid}") else []


def _children(pid: int, thread: str, tree: Tree | None = None) -> list[int]:
    """The same for a walk: it rather misses a process than fails."""
    try:
        return children_of_thread(pid, thread)
    except OSError as error:
        _note(error, tree)
        return []


def _children_by_scan(pid: int) -> list[int]:
    """For a kernel without CONFIG_PROC_CHILDREN: a scan of all processes, which is slower."""
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


@dataclass(frozen=True, slots=True)
class Stat:
    """The first fields of /proc/<pid>/stat after the name (proc(5))."""

    state: str
    parent: int
    group: int
    session: int
    threads: int
    started: int = 0
    """Its start, in clock ticks since the machine's boot. Together with the pid it is unique."""
    name: bytes = b""
    """Only its own threads can set it, no other process."""

    @property
    def lives(self) -> bool:
        """Whether it runs, or could. If its first thread has ended it looks like a zombie, but others may go on."""
        return self.state not in _DEAD or self.threads > 1


def read_stat(pid: int, thread: str | None = None) -> Stat | None:
    """Return what the kernel knows of a process, or of one of its threads; `None` if it does not exist."""
    try:
        content = kernel_files.read(
            f"/proc/{pid}/stat" if thread is None else f"/proc/{pid}/task/{thread}/stat"
        )
        # The name in parentheses may contain anything, also parentheses.
        named, _, rest = content.rpartition(b")")
        fields = rest.split()
        parent, group, session = map(int, fields[1:4])
        threads, started = int(fields[17]), int(fields[19])
        return Stat(fields[0].decode(), parent, group, session, threads, started, named.partition(b"(")[2])
    except (OSError, ValueError, IndexError):
        return None


def lineage() -> set[int]:
    """Return the pids of this process and of all above it."""
    pid = os.getpid()
    pids = {pid}
    while pid > 1 and (stat := read_stat(pid)) is not None:
        pid = stat.parent
        pids.add(pid)
    return pids


def is_alive(pid: int) -> bool:
    """Whether `pid` runs, or could (it is not a zombie)."""
    stat = read_stat(pid)
    return stat is not None and stat.lives


def living_thread(pid: int) -> int:
    """Return the number by which /proc shows what `pid` does: its own, or the number of a living thread.

    A process whose first thread has ended shows no memory, environment or directory under its own number any more.
    """
    stat = read_stat(pid)
    if stat is None or stat.state not in _DEAD or not stat.lives:
        return pid
    threads = (
        thread for thread in _threads(pid) or () if (one := read_stat(pid, thread)) and one.state not in _DEAD
    )
    return int(next(threads, pid))


def user_of(pid: int) -> int | None:
    """Return the real uid of a process. The owner of its /proc directory is not used: it is root if undumpable."""
    uids = status_of(pid).get("Uid", "").split()
    return int(uids[0]) if uids else None


def processes_of(users: Collection[int]) -> dict[int, int]:
    """Return the living processes of these users on this machine, by pid, each with its user. Not for the loop."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    found = {pid: user_of(pid) for pid in pids}
    return {pid: user for pid, user in found.items() if user is not None and user in users and is_alive(pid)}


def members_of(groups: Collection[int]) -> dict[int, int]:
    """Return the living processes on this machine that have one of these supplementary groups, by pid.

    Each has its first such group. Not for the loop.
    """
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    found = {pid: [int(each) for each in status_of(pid).get("Groups", "").split()] for pid in pids}
    wanted = {pid: [each for each in listed if each in groups] for pid, listed in found.items()}
    return {pid: listed[0] for pid, listed in wanted.items() if listed and is_alive(pid)}


def status_of(pid: int, thread: str | None = None) -> dict[str, str]:
    """Return the fields of /proc/<pid>/status (proc(5)), or of one of its threads; empty if it does not exist."""
    place = f"/proc/{pid}" if thread is None else f"/proc/{pid}/task/{thread}"
    try:
        text = kernel_files.read(f"{place}/status").decode(errors="replace")
    except OSError:
        return {}
    pairs = [line.partition(":") for line in text.split("\n") if line]
    return {name: value.strip() for name, _, value in pairs}


def signal_child_of(parent: int, pid: int, number: int) -> bool:
    """Signal `pid` if it is alive and a child of `parent`. Returns whether it was signalled.

    The number may belong to another process by now. The descriptor is bound to the process that has the number when
    it is opened; only then its parent is compared.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        found = read_stat(pid)
        if found is None or not found.lives or found.parent != parent:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(descriptor)
    return True


def stop_tree(roots: Iterable[int], end: float) -> Tree:
    """Stop `roots`, children of this process, and all below them, until a walk finds nothing new, or until `end`.

    `end` is a time of the monotonic clock. Returns the last walk.
    """
    roots = tuple(roots)
    known = dict.fromkeys(roots, os.getpid())
    fresh = set(roots)
    while True:
        _stop_and_follow(known, fresh, end)
        # Walk over all again: a process that has lost its parent meanwhile is now below another one.
        tree = tree_below(roots)
        fresh = tree.parents.keys() - known.keys()
        if not fresh or time.monotonic() > end:
            return tree
        known.update((pid, tree.parents[pid]) for pid in fresh)


def _stop_and_follow(known: dict[int, int], fresh: Iterable[int], end: float) -> None:
    """Stop `fresh` and everything found below it, and add that to `known`.

    If a process was stopped before its children were read, it has no other children, and is not looked at again. So
    each round costs as much as the processes that still run, not as the whole bomb, which could outgrow the rounds.
    """
    waiting = deque(fresh)
    later: list[int] = []
    while waiting and time.monotonic() < end:
        pid = waiting.pop()
        found = read_stat(pid)
        if found is None or not found.lives:
            continue
        if not _is_stopped(pid, found):
            signal_child_of(known[pid], pid, signal.SIGSTOP)
            later.append(pid)
        for thread in _threads(pid) or ():
            for child in _children(pid, thread):
                if child not in known:
                    known[child] = pid
                    waiting.append(child)
        if not waiting and later:
            waiting.extend(later)
            later.clear()
            time.sleep(_PAUSE_SECONDS)  # they need a processor to stop


def _is_stopped(pid: int, found: Stat) -> bool:
    if found.state not in _DEAD:
        return found.state in _STOPPED
    states = [stat.state for thread in _threads(pid) or () if (stat := read_stat(pid, thread))]
    return all(state in _STOPPED or state in _DEAD for state in states)


def kill_tree(roots: Iterable[int], end: float) -> set[int]:
    """Stop `roots`, children of this process, and all below them, then kill them. Returns the killed pids."""
    return _kill(stop_tree(roots, end).parents)


def kill_below(root: int, end: float) -> set[int]:
    """Stop `root`, a child of this process, and all below it, then kill all below it. Returns the killed pids."""
    parents = stop_tree((root,), end).parents
    return _kill({pid: parent for pid, parent in parents.items() if pid != root})


def _kill(parents: Mapping[int, int]) -> set[int]:
    # From below: if a parent dies first, its children get another parent and are not recognised.
    return {pid for pid in reversed(parents) if signal_child_of(parents[pid], pid, signal.SIGKILL)}
