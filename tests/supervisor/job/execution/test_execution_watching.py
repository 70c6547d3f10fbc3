"""What an execution watches while its job runs, and what follows from what it is told."""

import asyncio
import errno
import time

import pytest
from execution_support import DONE, SIGKILL, Scene, begin

from jobrunner.protocol.messages import Blocking, Ready, Tick
from supervisor.errors import LaunchError
from supervisor.process.memory import NOTHING_INHERITED
from supervisor.verdict import ExitStatus, LimitKind, Limits, OutOfMemory, decide
from supervisor.watch.look import Sample
from tests.patience import PATIENCE_SECONDS, until
from tests.programs.fuzz.fakes import FakeChild

EXIT_0 = ExitStatus(code=0)
WATCHED = Limits(max_seconds=30.0, grace_seconds=1.0, memory_mb=64.0, processes=7, cpu_seconds=5.0)
STALLING = Limits(max_seconds=30.0, grace_seconds=1.0, stall_seconds=1.0, kill_stalled=True)
"""A look is due each quarter of a second, and counts where the machine is late by no more than an eighth."""


async def test_what_a_job_uses_is_watched_by_the_job_s_limits_until_its_end() -> None:
    scene = await begin(WATCHED)
    pid = scene.child.pid
    assert scene.calls == [
        ("sampler watches", pid, 64.0, 7, NOTHING_INHERITED),
        ("headcount watches", pid, 7),
        ("CPU watch watches", pid, 5.0, scene.child.cgroup, 7),
    ]
    await scene.finish(DONE, status=EXIT_0)
    assert ("sampler forgets", pid) in scene.calls
    assert ("headcount forgets", pid) in scene.calls
    assert ("CPU watch forgets", pid) in scene.calls


async def test_people_are_shown_the_processor_time_that_a_job_has_used_since_its_order() -> None:
    scene = await begin(WATCHED, when_ready=Ready(pid=1, cpu_seconds=0.5))
    assert scene.execution.view().sample is None
    for counted, shown in ((0.75, 0.25), (0.49, 0.0)):  # the kernel counts in hundredths, the child does not
        scene.sampler.seen = Sample(1.0, counted, 1, 0)
        seen = scene.execution.view().sample
        assert seen is not None
        assert (seen.cpu_seconds, seen.memory_mb) == (shown, 1.0)
    await scene.finish(DONE, status=EXIT_0)


async def test_a_job_above_its_cpu_limit_is_asked_to_stop_and_its_stack_is_taken_meanwhile() -> None:
    scene = await begin(WATCHED)
    scene.cpu_watch.tell(4.0)
    scene.cpu_watch.tell(5.25)
    await until(lambda: "stack" in scene.calls, "its stack is taken")
    assert "kill" not in scene.calls
    finished = await scene.finish(DONE, status=EXIT_0)
    assert finished.ending.limit is not None
    assert (finished.ending.limit.kind, finished.ending.limit.measured) == (LimitKind.CPU, 5.25)
    assert finished.ending.usage.cpu_seconds == 5.25
    assert "block.py" in finished.ending.stack
    assert finished.verdict.cause == "cpu_limit"


async def test_what_a_child_begins_with_is_the_deadline_and_the_payload() -> None:
    before = time.monotonic()
    scene = await begin()
    assert before + 30.0 <= scene.deadline <= time.monotonic() + 30.0
    assert scene.payload == b'{"parameters": {}}'
    await scene.finish(DONE, status=EXIT_0)


async def test_a_sample_above_the_memory_limit_ends_the_job() -> None:
    scene = await begin(WATCHED)
    scene.sample(64.0)
    scene.sample(64.5)
    finished = await scene.finish()
    assert finished.ending.limit is not None
    assert (finished.ending.limit.kind, finished.ending.limit.measured) == (LimitKind.MEMORY, 64.5)
    assert finished.ending.usage.peak_memory_mb == 64.5


async def test_a_process_that_the_kernel_ended_at_the_job_s_limit_ends_the_job() -> None:
    scene = await begin(WATCHED)
    scene.child.cgroup.oom = OutOfMemory(1, 64.0)  # type: ignore[attr-defined]
    scene.sample(5.0)
    finished = await scene.finish()
    assert finished.ending.limit is not None
    assert (finished.ending.limit.kind, finished.ending.limit.measured) == (LimitKind.MEMORY, 64.0)


async def test_a_process_that_the_kernel_ended_for_want_of_memory_of_the_machine_ends_no_job() -> None:
    scene = await begin(WATCHED)
    scene.child.cgroup.oom = OutOfMemory(1)  # type: ignore[attr-defined]
    scene.sample(5.0)
    finished = await scene.finish(DONE, status=EXIT_0)
    assert finished.ending.limit is None
    assert finished.ending.outcome is not None


async def test_a_loop_that_is_silent_ends_the_job_where_that_is_wanted() -> None:
    scene = await begin(STALLING)
    finished = await scene.finish()
    assert finished.ending.limit is not None
    assert finished.ending.limit.kind is LimitKind.STALL


async def test_a_loop_whose_ticks_may_be_unread_is_never_accused() -> None:
    scene = await begin(STALLING, unread=1)
    await until(lambda: scene.child.looks >= 6, "six looks, of which four would be enough")
    finished = await scene.finish(DONE, status=EXIT_0)
    assert finished.ending.limit is None


async def test_a_loop_that_ticks_is_never_accused() -> None:
    scene = await begin(STALLING)
    ticking = asyncio.ensure_future(_tick_for_ever(scene.say))
    await until(lambda: scene.child.looks >= 6, "six looks, of which four would be enough")
    ticking.cancel()
    scene.child.unread = 1  # from here on nothing is proven any more
    finished = await scene.finish(DONE, status=EXIT_0)
    assert finished.ending.limit is None


async def _tick_for_ever(say: object) -> None:
    while True:
        await say(Tick())  # type: ignore[operator]
        await asyncio.sleep(0.005)


async def test_a_stall_and_its_end_are_told_where_the_job_goes_on() -> None:
    scene = await begin(Limits(max_seconds=30.0, grace_seconds=1.0, stall_seconds=1.0))
    await until(lambda: "stalled" in scene.calls, "the stall is told")
    assert "resumed" not in scene.calls
    await scene.say(Tick())
    await until(lambda: "resumed" in scene.calls, "its end is told")
    await scene.finish(DONE, status=EXIT_0)


async def test_code_that_blocks_is_told_by_the_child() -> None:
    scene = await begin()
    await scene.say(Blocking(file="block.py", line=12, since=0.0, text="it blocks"))
    await scene.finish(DONE, status=EXIT_0)
    assert ("blocked", 12) in scene.calls


async def test_a_child_that_can_not_be_watched_does_not_begin_and_is_watched_by_nobody() -> None:
    scene = Scene(WATCHED)
    await scene.child.connect()

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "x")

    scene.headcount.watch = refuse  # type: ignore[method-assign]
    with pytest.raises(LaunchError, match="can't be watched: Too many open files"):
        scene.execution.prepare()
    loop = asyncio.get_running_loop()
    assert not loop.remove_reader(scene.child.stdout)
    assert not loop.remove_reader(scene.child.stderr)
    assert ("sampler forgets", scene.child.pid) in scene.calls
    assert "reports stop" in scene.calls
    with pytest.raises(BlockingIOError):
        scene.child.far.recv(1)
    FakeChild.close(scene.child)


async def test_a_child_that_ends_in_the_moment_in_which_it_may_begin_is_told_nothing_more() -> None:
    scene = Scene(WATCHED)
    await scene.child.connect()
    scene.execution.prepare()
    scene.child.end(SIGKILL)  # of which nobody has heard yet
    async with asyncio.timeout(PATIENCE_SECONDS):  # no task, which would begin a turn later
        finished = await scene.execution.run([b"{}"], 1000)
    assert (finished.ending.not_begun, finished.verdict.cause) == (True, "start_failed")
    FakeChild.close(scene.child)


async def test_a_job_that_could_not_be_watched_says_so_in_its_result() -> None:
    scene = await begin(WATCHED)
    scene.sampler.fail("can't start new thread")
    scene.headcount.fail("Too many open files")
    scene.cpu_watch.fail("Permission denied")
    finished = await scene.finish(DONE, status=EXIT_0)
    memory, processes, cpu = finished.ending.unwatched
    assert (memory.kind, memory.reason) == (LimitKind.MEMORY, "can't start new thread")
    assert (processes.kind, processes.reason) == (LimitKind.PROCESSES, "Too many open files")
    assert (cpu.kind, cpu.reason) == (LimitKind.CPU, "Permission denied")
    message = decide(finished.ending).message
    assert "its memory limit was not enforced for" in message
    assert "its limit of processes was not enforced for" in message
    assert "its CPU limit was not enforced for" in message


async def test_a_job_that_nobody_could_watch_when_it_began_says_so_in_its_result() -> None:
    scene = Scene(WATCHED)
    scene.before_begin = lambda: scene.sampler.fail("a look hangs")
    await scene.begin()
    (memory,) = (await scene.finish(DONE, status=EXIT_0)).ending.unwatched
    assert (memory.kind, memory.reason) == (LimitKind.MEMORY, "a look hangs")


async def test_a_job_whose_memory_the_kernel_limits_or_nobody_does_is_not_said_to_be_unwatched() -> None:
    scene = await begin(WATCHED)
    scene.child.cgroup.limits_memory = True  # type: ignore[misc]
    scene.sampler.fail("can't start new thread")
    assert (await scene.finish(DONE, status=EXIT_0)).ending.unwatched == ()
    scene = await begin()
    scene.sampler.fail("can't start new thread")
    assert (await scene.finish(DONE, status=EXIT_0)).ending.unwatched == ()
