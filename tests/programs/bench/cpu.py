"""CPU time of the worker's processes, as the kernel counts it."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import psutil


def tree(worker_pid: int) -> list[psutil.Process]:
    """Return the keeper and everything below it: supervisor, template, spares, jobs, helpers."""
    keeper = psutil.Process(worker_pid)
    return [keeper, *keeper.children(recursive=True)]


def tree_cpu_seconds(worker_pid: int) -> float:
    """Return the CPU time that the tree has used so far, with that of its members that have ended.

    What has ended is counted by whoever waited for it. To a hundredth of a second, so for long runs only.
    """
    total = 0.0
    for process in tree(worker_pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def cpu_seconds_by_process(worker_pid: int) -> dict[tuple[int, str], float]:
    """Return the CPU time of each living process of the tree, by pid and name, to the nanosecond."""
    return {
        (process.pid, _name(process, worker_pid)): _precise_seconds(process) for process in tree(worker_pid)
    }


def used(before: Mapping[tuple[int, str], float], after: Mapping[tuple[int, str], float]) -> dict[str, float]:
    """Return the seconds used between two readings, by process name. A process that is new counts in full.

    One that has ended in between does not count: an idle worker has none.
    """
    seconds: dict[str, float] = {}
    for (pid, name), total in after.items():
        seconds[name] = seconds.get(name, 0.0) + total - before.get((pid, name), 0.0)
    return seconds


def _name(process: psutil.Process, worker_pid: int) -> str:
    name = process.name()
    # The others have names of their own; to the kernel these two are just Python.
    if name.startswith("python"):
        return "supervisor" if process.ppid() == worker_pid else "resource tracker"
    return name


def _precise_seconds(process: psutil.Process) -> float:
    try:
        # The first number is nanoseconds on a CPU (kernel, Documentation/scheduler/sched-stats.rst), for each thread.
        threads = Path(f"/proc/{process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    except OSError:  # a kernel without CONFIG_SCHED_INFO: hundredths of a second will do
        times = process.cpu_times()
        return float(times.user + times.system)
