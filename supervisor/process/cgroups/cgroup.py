"""The cgroup of one child: up to three directories, one for each tree that has something to offer."""

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
    """A directory below which children's cgroups are made, and what these are good for."""

    directory: Path
    version: int
    roles: frozenset[Role]


class Cgroup:
    """Made by `worker.Cgroups`, joined once, removed once. Without trees every method does nothing.

    No method raises an error of the machine: `complain` is told, and the job goes on without.
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
        """Make the directories and move the process `pid`, which must be a child that has no children yet.

        `ask` has it do so itself, and returns when it has tried: no thread of this process is woken for it then. What
        it is not in afterwards is tried here, and here it is learned why it can't be.

        Takes 10 to 20 ms where nobody else has just moved (the kernel waits for a grace period). When cancelled, the
        moving goes on; `remove` waits for it.
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
        """Note in which trees the process is in this cgroup, and return the others: that it says so is no proof."""
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
                if error.errno != errno.ESRCH:  # it is dead, and says so by its pidfd
                    self._without(tree, error)
            else:
                self._joined += (tree,)

    def _without(self, tree: Tree, error: OSError) -> None:
        self._complain(f"A child can't be put into the cgroup {self._path_in(tree)}: {error.strerror}.")

    def _path_in(self, tree: Tree) -> str:
        # Not by `Path`, which takes longer than some of the calls that it is for.
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
        """Return what is alive in it. Takes microseconds. Where a tree has `cgroup.kill`, that one is asked alone."""
        able = [tree for tree in self._joined if "kill" in tree.roles] or self._joined
        return {pid for tree in able for pid in files.processes(self._path_in(tree))}

    def kill(self) -> set[int]:
        """Kill everything in it, once, and return the pids. To be called in a thread.

        Where no tree has `cgroup.kill`, a fork may have escaped: call again until it returns nothing.
        """
        killed: set[int] = set()
        # Those with cgroup.kill first: for the others nothing is left to do then.
        for tree in sorted(self._joined, key=lambda tree: "kill" not in tree.roles):
            killed |= files.kill(self._path_in(tree))
        return killed

    def out_of_memory(self) -> OutOfMemory | None:
        """Return the proof that the kernel's OOM killer ended something in it, if it did."""
        place = self._directory("memory")
        return memory.out_of_memory(*place, self._memory_mb) if place else None

    def cpu_seconds(self) -> float | None:
        """Return the processor time of everything that was ever in it, `None` where no cgroup counts that.

        Takes microseconds. Raises `OSError` when the count can't be read.
        """
        place = self._directory("cpu")
        return cpu_time.used_seconds(*place) if place else None

    def remove(self) -> None:
        """Remove the directories, in a thread, once everything in it is dead. What stays is tried again at the end."""
        if self._removals is not None:
            self._removals.add(self._remove)
        elif self._executor is not None:
            with contextlib.suppress(RuntimeError):  # shut down: the end removes everything anyway
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
        os.rmdir(directory)  # not where somebody is in it, whom an earlier run could not kill
        os.mkdir(directory, 0o755)


WITHOUT: Final = Cgroup((), "", None, _ignore)
"""What a child has that is in no cgroup of its own."""


def child_name(number: int) -> str:
    """Return the name of a child's cgroup: unique in this worker's life, and not another's by accident."""
    return f"{os.getpid()}-{number}"
