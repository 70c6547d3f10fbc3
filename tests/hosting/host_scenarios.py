"""What a test can have the host do beside running jobs: each looks at one rule of the process machinery."""

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from host_jobs import run_job
from session_scenarios import SESSION_SCENARIOS

from supervisor.errors import LaunchError
from supervisor.launcher import Child, SparePool
from supervisor.launcher import ownership as ownership_module
from supervisor.launcher import sweep as sweep_module
from supervisor.launcher.known_children import direct_children
from supervisor.launcher.ownership import JobProcesses, unannounced
from supervisor.launcher.sweep import Sweeper
from supervisor.launcher.sweep_rounds import SweepRounds
from supervisor.lifecycle import job as lifecycle_job
from supervisor.process import proc as processes_module
from supervisor.watch import blocking as blocking_module
from supervisor.watch import sampler as sampler_module
from supervisor.watch import stack as stack_module
from supervisor.watch import stall as stall_module
from tests.patience import PATIENCE_SECONDS, until


def processes_of(child: Child) -> JobProcesses:
    """What the processes are known by that a child without a job may have started."""
    return JobProcesses(child.pid, child.groups, child.cgroup, child.user)


async def end_child(child: Child) -> None:
    """Kill, await and reap a child that has no job."""
    child.kill()
    await child.exited
    child.reap_and_close()


def unknown_children(host: Any) -> set[int]:
    """Return the direct children that nobody knows and nobody is about to announce, in the sweep's order."""
    children = direct_children()
    sessions = host.launcher.drain_starts()
    # A session holder that was listed may have been reaped, and with it forgotten, a moment later.
    unknown = set(host.launcher.known_children.unknown(children)) & direct_children()
    return unknown - unannounced(unknown, (), sessions)


async def processes(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The template, those that hold sessions, the spares that wait, and children that nobody knows."""
    await until(lambda: len(host.runner._spares._ready) >= host.options.get("spares", 1))
    unknown = unknown_children(host)
    holders = getattr(host.launcher, "_holders", None)
    return {
        "template": getattr(host.launcher, "template_pid", None),
        "holders": [] if holders is None else [holder.pid for holder in holders.living],
        "spares": [child.pid for child in host.runner._spares._ready],
        "unknown": sorted(unknown),
    }


async def template_is_daemon(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Whether `multiprocess` takes the template for a daemon."""
    return {"daemon": host.launcher._template._spawned._process.daemon}


async def usage_of_spare(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Private memory of a spare in MiB, and its descriptors as /proc shows them."""
    await until(lambda: host.runner._spares._ready)
    pid = host.runner._spares._ready[0].pid

    def links() -> dict[str, str]:
        return {name.name: os.readlink(name) for name in Path(f"/proc/{pid}/fd").iterdir()}

    # It has handed its listener over when it is ready, and closes its own copy a moment later.
    await until(lambda: not any("seccomp" in link for link in links().values()))
    return {"uss_mb": psutil.Process(pid).memory_full_info().uss / 2**20, "descriptors": links()}


async def births_and_sweeps(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Start `births` children while sweeps run all the time; tell how many lived and how many were swept."""
    dead = await host.launcher.spawn_child()
    dead.kill()
    await dead.exited
    sweeper = Sweeper(host.launcher)
    swept, sweeps, starting = 0, 0, True

    async def sweep_all_the_time() -> None:
        nonlocal swept, sweeps
        while starting:
            swept += (await sweeper.clear(processes_of(dead))).killed
            sweeps += 1
            await asyncio.sleep(0)

    sweeping = asyncio.create_task(sweep_all_the_time())
    lived = 0
    for _ in range(request["births"] // 2):
        pair = await asyncio.gather(
            host.launcher.spawn_child(), host.launcher.spawn_child(), return_exceptions=True
        )
        for child in pair:
            if isinstance(child, Child):
                lived += not child.exited.done()
                await end_child(child)
    starting = False
    await sweeping
    dead.reap_and_close()
    return {"lived": lived, "swept": swept, "sweeps": sweeps}


async def two_sweeps_at_once(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Two jobs end in one moment, with two leftovers each; tell how many each sweep has killed, and whether a process
    that was waited for, or the other's, got a signal."""
    ended = [await host.launcher.spawn_child() for _ in range(2)]
    command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
    leftovers = [subprocess.Popen(command) for _ in range(4)]
    for child in ended:
        child.kill()
        await child.exited
    send, strangers = processes_module.signal_child_of, []

    def watched(parent: int, pid: int, number: int) -> bool:
        if pid not in direct_children():
            strangers.append(pid)
        return send(parent, pid, number)

    jobs = [processes_of(child) for child in ended]
    mine = dict(
        zip(jobs, ({one.pid for one in leftovers[:2]}, {one.pid for one in leftovers[2:]}), strict=True)
    )

    def by_owner(pids: set[int], _: object) -> dict[Any, set[int]]:
        return {job: pids & own for job, own in mine.items() if pids & own}

    processes_module.signal_child_of, sweep_module.by_owner = watched, by_owner
    try:
        sweeper = Sweeper(host.launcher)
        swept = await asyncio.gather(*map(sweeper.clear, jobs))
    finally:
        processes_module.signal_child_of, sweep_module.by_owner = send, ownership_module.by_owner
    for child in ended:
        child.reap_and_close()
    for leftover in leftovers:
        leftover.wait()
    return {"killed": [one.killed for one in swept], "strangers": strangers}


async def foreign_child_status(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Start a known child that is not a job, run jobs that are swept, then ask for that child's exit code."""
    foreign = subprocess.Popen([sys.executable, "-I", "-S", "-c", "raise SystemExit(7)"])
    host.launcher.known_children.add(foreign.pid)
    await until(lambda: os.waitid(os.P_PID, foreign.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    children = [await host.launcher.spawn_child() for _ in range(3)]
    for child in children:
        child.kill()
        await child.exited
        await Sweeper(host.launcher).clear(processes_of(child))
        child.reap_and_close()
    code = foreign.wait()
    host.launcher.known_children.discard(foreign.pid)
    return {"code": code}


async def starts_at_once(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Have `target` spares started and tell how many starts ran at the same time at most."""
    running, most = 0, 0

    class Counting:
        async def spawn_child(self, *, rehearses: bool = True) -> Child:
            nonlocal running, most
            running += 1
            most = max(most, running)
            try:
                return await host.launcher.spawn_child()
            finally:
                running -= 1

    spares = SparePool(Counting(), request["target"])
    spares.refill()
    await until(lambda: len(spares._ready) == request["target"])
    ready = len(spares._ready)
    await spares.close()
    return {"most": most, "ready": ready, "cores": os.cpu_count()}


async def take_without_template(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Stop the template, ask for a child with a time-out, then let the template go on and ask again."""
    spares = SparePool(host.launcher, 0)
    host.launcher._holders.end(*host.launcher._holders.living, reason="")
    os.kill(host.launcher.template_pid, signal.SIGSTOP)
    begun = time.monotonic()
    try:
        await spares.take(0.3)
        error = ""
    except LaunchError as problem:
        error = str(problem)
    waited = time.monotonic() - begun
    os.kill(host.launcher.template_pid, signal.SIGCONT)
    child = await spares.take(PATIENCE_SECONDS)
    await end_child(child)
    await spares.close()
    return {"error": error, "waited": waited}


async def starts_without_descriptors(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Forbid new descriptors, count the attempts to start a child in a second, allow them again, take one."""
    attempts = 0

    class Counting:
        async def spawn_child(self, *, rehearses: bool = True) -> Child:
            nonlocal attempts
            attempts += 1
            return await host.launcher.spawn_child()

    spares = SparePool(Counting(), 1)
    before = len(os.listdir("/proc/self/fd"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    spares.refill()
    await asyncio.sleep(0.5)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    left = len(os.listdir("/proc/self/fd")) - before
    failed = attempts
    await end_child(await spares.take(PATIENCE_SECONDS))
    await spares.close()
    return {"attempts": failed, "leaked": left}


async def abandoned_birth(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Cancel a birth before the template has answered; tell whether the child is gone afterwards."""
    await until(lambda: not host.runner._spares._starting)
    # The template is asked for another session holder: what it starts is given up like a child.
    host.launcher._holders.end(*host.launcher._holders.living, reason="")
    await until(lambda: not host.launcher._requests._unclaimed)
    os.kill(host.launcher.template_pid, signal.SIGSTOP)
    starting = asyncio.create_task(host.launcher.spawn_child())
    await until(lambda: host.launcher._requests._unanswered)
    before = direct_children()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    os.kill(host.launcher.template_pid, signal.SIGCONT)
    await until(lambda: not host.launcher._requests._unanswered)  # it was announced, and nobody wants it
    await until(lambda: not host.launcher._requests._unclaimed)
    return {"left": sorted(direct_children() - before)}


async def run_and_watch_the_loop(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run a job; tell what its sweep and the loop did meanwhile, how many tasks there were, and who is left.

    `latest` is how late the loop was at most, `longest_turn` for how long at most it computed without a pause, which
    other processes do not lengthen; `rounds` how many rounds of the sweep had something to kill, and `on_the_loop` how
    many of these held up the loop.
    """
    loop = asyncio.get_running_loop()
    latest, longest_turn, most_tasks = 0.0, 0.0, 0
    rounds: list[bool] = []
    kill = SweepRounds._kill

    def counted(self: SweepRounds, alive: set[int]) -> set[int]:
        rounds.append(threading.current_thread() is threading.main_thread())
        return kill(self, alive)

    SweepRounds._kill = counted  # type: ignore[method-assign]
    running = asyncio.create_task(run_job(host, request))
    while not running.done():
        due, computed = loop.time() + 0.005, time.thread_time()
        await asyncio.sleep(0.005)
        latest = max(latest, loop.time() - due)
        longest_turn = max(longest_turn, time.thread_time() - computed)
        most_tasks = max(most_tasks, int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2]))
    unknown = unknown_children(host)
    SweepRounds._kill = kill  # type: ignore[method-assign]
    return await running | {
        "latest": latest,
        "longest_turn": longest_turn,
        "rounds": len(rounds),
        "on_the_loop": sum(rounds),
        "most_tasks": most_tasks,
        "unknown": sorted(unknown),
    }


async def run_unsampled(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run a job whose memory nobody looks at before it is over."""
    near, sampler_module.NEAR_SECONDS = sampler_module.NEAR_SECONDS, 10 * PATIENCE_SECONDS  # type: ignore[misc]
    try:
        return await run_job(host, request)
    finally:
        sampler_module.NEAR_SECONDS = near  # type: ignore[misc]


async def run_to_its_end(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run a job, and call its process stuck only long after SIGKILL: on a busy machine an end takes seconds."""
    seconds, lifecycle_job.UNKILLABLE_SECONDS = lifecycle_job.UNKILLABLE_SECONDS, PATIENCE_SECONDS
    try:
        return await run_job(host, request)
    finally:
        lifecycle_job.UNKILLABLE_SECONDS = seconds


@contextlib.contextmanager
def time_for_stacks() -> Iterator[None]:
    """Wait for a stack wherever one is taken: on a busy machine it takes its time."""
    with contextlib.ExitStack() as until_then:
        for module, name in (
            (lifecycle_job, "STACK_SECONDS"),
            (stall_module, "STACK_SECONDS"),
            (blocking_module, "STACK_SECONDS"),
            (stack_module, "_AWAITS_SECONDS"),
        ):
            until_then.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, PATIENCE_SECONDS)
        yield


async def run_with_time_for_its_stack(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run a job whose stack is what the test is about."""
    with time_for_stacks():
        return await run_job(host, request)


async def owner_when_the_user_is_given_back(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run a job; tell who owned the directories of jobs when its user could be another's again."""
    users, directories = host.launcher._confinement_pool._users, host.runner._directories
    give_back, remove, seen = users.give_back, directories.remove, asyncio.get_running_loop().create_future()

    def watched(user: int) -> None:
        there = Path(host.options["directory"]).iterdir()
        seen.set_result({"user": user, "owners": [item.stat().st_uid for item in there]})
        give_back(user)

    users.give_back = watched
    # What was removed meanwhile would have no owner at all.
    directories.remove = lambda path: asyncio.get_running_loop().create_future()
    try:
        return await run_job(host, request) | await seen
    finally:
        users.give_back, directories.remove = give_back, remove


async def stop_all(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """End every running job now."""
    host.runner.stop_all()
    return {}


async def stop_while_a_child_is_found(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Demand the stop in the moment between finding a child for a job and giving it the order."""
    take = host.runner._spares.take

    async def take_and_stop(timeout_seconds: float) -> Child:
        child = await take(timeout_seconds)
        host.runner.stop_all()
        return child

    host.runner._spares.take = take_and_stop
    return await run_job(host, request)


async def run_without_kill(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run a job whose child SIGKILL does not end, as in state D, which a test can't make; then end it for real."""
    take, taken = host.runner._spares.take, []

    async def take_deaf(timeout_seconds: float) -> Child:
        child = await take(timeout_seconds)
        child.kill, kill = (lambda: None), child.kill
        taken.append((child, kill))
        return child

    host.runner._spares.take = take_deaf
    seconds, lifecycle_job.UNKILLABLE_SECONDS = lifecycle_job.UNKILLABLE_SECONDS, 0.5
    try:
        with time_for_stacks():
            answer = await run_job(host, request)
    finally:
        host.runner._spares.take = take
        lifecycle_job.UNKILLABLE_SECONDS = seconds
        for child, kill in taken:
            kill()
            await child.exited
            child.reap_and_close()
    return answer


async def descriptors(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """How many descriptors the host has open, once its spares are ready."""
    await until(lambda: len(host.runner._spares._ready) >= host.options.get("spares", 1))
    return {"count": len(os.listdir("/proc/self/fd"))}


async def pipe_threads(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """How many threads read what jobs print."""
    return {"count": len([thread for thread in threading.enumerate() if thread.name == "pipes"])}


async def stack(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """What `of` this job's threads and tasks is told to so many (`callers`) who ask at the same time."""
    asked = (host.runner.stack(str(request["of"])) for _ in range(request.get("callers", 1)))
    return {"seen": [seen and asdict(seen) for seen in await asyncio.gather(*asked)]}


async def end_now(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """End the job `of` this number, as a worker does that can't wait for it."""
    host.runner._running[str(request["of"])].stop()
    return {}


async def cancel_now(host: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Cancel the job `of` this number, with its grace, as an operator does."""
    host.runner._running[str(request["of"])].cancel()
    return {}


SCENARIOS = {
    function.__name__: function
    for function in (
        processes,
        template_is_daemon,
        usage_of_spare,
        births_and_sweeps,
        two_sweeps_at_once,
        foreign_child_status,
        starts_at_once,
        take_without_template,
        starts_without_descriptors,
        abandoned_birth,
        run_and_watch_the_loop,
        run_unsampled,
        run_to_its_end,
        run_with_time_for_its_stack,
        owner_when_the_user_is_given_back,
        stop_all,
        stop_while_a_child_is_found,
        run_without_kill,
        descriptors,
        pipe_threads,
        stack,
        end_now,
        cancel_now,
    )
} | SESSION_SCENARIOS
