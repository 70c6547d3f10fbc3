"""The cgroup of one child: up to three directories, one in each tree that can be used."""

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups import cpu_time, files, memory
from supervisor.process.cgroups.removals import CgroupRemovals
from supervisor.verdict import OutOfMemory

Role = Literal["kill", "memory", "pids", "cpu"]

_REMOVE_TRIES: Final = 5
_REMOVE_PAUSE_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory below which children's cgroups are made, and what they are used for."""

    directory: Path
    version: int
    roles: frozenset[Role]


class Cgroup:
    """Made by `worker.Cgroups`, joined once, removed once. Without trees every method does nothing.

    No method raises an error of the machine: it calls `complain`, and the job goes on without.
    """

    def __init__(
        self,
        trees: tuple[Tree, ...],
        name: str,
        executor: Executor | None,
        complain: Callable[[str], None],
        removals: CgroupRemovals | None = None,
    ) -> None:
        self._name = name
        self._wanted = trees
        self._joined: tuple[Tree, ...] = ()
        self._executor = executor
        self._complain = complain
        self._removals = removals
        self._memory_mb: float | None = None

    async def join(self, pid: int, ask: Callable[[list[str]], Awaitable[None]] | None = None) -> None:
        """Make the directories and move the process `pid`, which must be a child without children.

        `ask` asks the child to move itself, and returns when the child has tried: then no thread of this process is
        woken. This process moves the child into the rest, and learns here why a move fails.

        Takes 10 to 20 ms if nobody else has just moved (the kernel waits for a grace period). After a cancellation, the
        move goes on; `remove` waits for it.
        """
        if self._executor is None:
            return
        missing = self._wanted
        if ask is not None:
            await ask([self._path_in(tree) for tree in missing])
            missing = self._look(pid)
        if missing:
            joined = asyncio.get_running_loop().run_in_executor(self._executor, self._join, pid, missing)
            if self._removals is not None:
                self._removals.begin()  # the thread is woken anyway
            await joined

    def _look(self, pid: int) -> tuple[Tree, ...]:
        """Note the trees in whose cgroup the process is, and return the others: the child's own word is no proof."""
        missing: tuple[Tree, ...] = ()
        for tree in self._wanted:
            try:
                is_in = str(pid).encode() in kernel_files.read(_processes_of(self._path_in(tree))).split()
            except FileNotFoundError:
                is_in = False
            except OSError as error:
                self._without(tree, error)
                continue
            if is_in:
                self._joined += (tree,)
            else:
                missing += (tree,)
        return missing

    def _join(self, pid: int, trees: Iterable[Tree]) -> None:
        for tree in trees:
            try:
                _make(self._path_in(tree))
                kernel_files.write(_processes_of(self._path_in(tree)), str(pid))
            except OSError as error:
                if error.errno != errno.ESRCH:  # it is dead, and its pidfd shows that
                    self._without(tree, error)
            else:
                self._joined += (tree,)

    def _without(self, tree: Tree, error: OSError) -> None:
        self._complain(f"A child can't be put into the cgroup {self._path_in(tree)}: {error.strerror}.")

    def _path_in(self, tree: Tree) -> str:
        # Not `Path`: it takes longer than some of the calls that use this path.
        return f"{tree.directory}/{self._name}"

    def _directory(self, role: Role) -> tuple[str, int] | None:
        for tree in self._joined:
            if role in tree.roles:
                return self._path_in(tree), tree.version
        return None

    def set_limits(self, memory_mb: float | None, tasks: int | None) -> None:
        """Limit memory, in MB, and the number of processes and threads; `None` is no limit. Takes microseconds."""
        place = self._directory("memory")
        if memory_mb is not None and place is not None:
            try:
                memory.limit(*place, memory_mb)
                self._memory_mb = memory_mb
            except OSError as error:
                self._complain(f"The memory limit of {place[0]} can't be set: {error.strerror}.")
        place = self._directory("pids")
        if tasks is not None and place is not None:
            try:
                kernel_files.write(f"{place[0]}/pids.max", str(tasks))
            except OSError as error:
                self._complain(f"The limit of processes of {place[0]} can't be set: {error.strerror}.")

    @property
    def limits_memory(self) -> bool:
        """Whether the kernel enforces the job's memory limit."""
        return self._memory_mb is not None

    def processes(self) -> set[int]:
        """Return the living processes in it. Takes microseconds. If a tree has `cgroup.kill`, only it is asked."""
        able = [tree for tree in self._joined if "kill" in tree.roles] or self._joined
        return {pid for tree in able for pid in files.processes(self._path_in(tree))}

    def kill(self) -> set[int]:
        """Kill everything in it, once, and return the pids. Call it in a thread.

        If no tree has `cgroup.kill`, a fork may have escaped: call it again until it returns nothing.
        """
        killed: set[int] = set()
        # Trees with cgroup.kill first: then nothing is left for the others.
        for tree in sorted(self._joined, key=lambda tree: "kill" not in tree.roles):
            killed |= files.kill(self._path_in(tree))
        return killed

    def out_of_memory(self) -> OutOfMemory | None:
        """Return the proof that the kernel's OOM killer ended something in it, if it did."""
        place = self._directory("memory")
        return memory.out_of_memory(*place, self._memory_mb) if place else None

    def cpu_seconds(self) -> float | None:
        """Return the processor time of all processes that were ever in it, `None` if no cgroup counts it.

        Takes microseconds. Raises `OSError` if the count can't be read.
        """
        place = self._directory("cpu")
        return cpu_time.used_seconds(*place) if place else None

    def remove(self) -> None:
        """Remove the directories, in a thread, once everything in them is dead. The worker's end tries again."""
        if self._removals is not None:
            self._removals.add(self._remove)
        elif self._executor is not None:
            with contextlib.suppress(RuntimeError):  # pool shut down: the end removes everything anyway
                self._executor.submit(self._remove)

    def _remove(self) -> None:
        for tree in self._wanted:
            for _ in range(_REMOVE_TRIES):
                if files.remove(self._path_in(tree)):
                    break
                time.sleep(_REMOVE_PAUSE_SECONDS)


def _ignore(_text: str) -> None:
    pass


def _processes_of(directory: str) -> str:
    return f"{directory}/{files.PROCESSES}"


def _make(directory: str) -> None:
    try:
        os.mkdir(directory, 0o755)
    except FileExistsError:  # the child has made it, and got no further
        os.rmdir(directory)  # fails if a process is in it that an earlier run could not kill
        os.mkdir(directory, 0o755)


WITHOUT: Final = Cgroup((), "", None, _ignore)
"""For a child that is in no cgroup of its own."""


def child_name(number: int) -> str:
    """Return the name of a child's cgroup: unique in this worker's life, and never another's by accident."""
    return f"{os.getpid()}-{number}"
