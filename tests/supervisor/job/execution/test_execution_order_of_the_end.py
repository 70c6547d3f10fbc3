"""What is done to a child in its last moments, and in which order."""

import asyncio
import os

import pytest
from execution_support import DONE, SIGKILL, STACK, Scene, begin

from supervisor.job.clearing import wait_until_gone
from supervisor.launcher.child import Reaped
from supervisor.launcher.sweep import Swept
from supervisor.log.events.jobs import LeftoversNotSearched
from supervisor.verdict import ExitStatus, LimitKind, Limits, OutOfMemory
from tests.log_events import facts_of, records_of
from tests.patience import PATIENCE_SECONDS, until

EXIT_0 = ExitStatus(code=0)


def acts(scene: Scene) -> list[str]:
    """What was done to the child and its tree, in order."""
    names = [call if isinstance(call, str) else call[0] for call in scene.calls]
    return [
        name
        for name in names
        if name in ("stack", "kill", "sweep", "reap", "freeze", "resume", "kill below", "give up")
    ]


async def test_the_child_is_waited_for_only_when_its_tree_is_dead() -> None:
    """The zombie keeps the number of its process group from being given to a stranger."""
    scene = await begin()
    await scene.finish(DONE, status=EXIT_0)
    assert acts(scene) == ["sweep", "reap"]
    assert ("sweep", scene.child.groups, scene.child.cgroup) in scene.calls


async def test_a_job_that_must_end_shows_its_stack_before_it_is_killed_and_swept_before_it_is_reaped() -> (
    None
):
    scene = await begin()
    scene.execution.stop()
    finished = await scene.finish()
    assert acts(scene) == ["stack", "kill", "sweep", "reap"]
    assert finished.ending.limit is not None
    assert finished.ending.limit.kind is LimitKind.STOPPING
    assert "block.py" in finished.ending.stack
    assert finished.ending.exit_status == SIGKILL


async def test_at_its_time_limit_a_job_is_asked_to_stop_and_killed_when_it_does_not() -> None:
    scene = await begin(Limits(max_seconds=0.01, grace_seconds=0.01))
    assert "0.01 s" in await scene.cancelled()
    finished = await scene.finish()
    assert acts(scene) == ["stack", "kill", "sweep", "reap"]
    assert finished.ending.limit is not None
    assert finished.ending.limit.kind is LimitKind.TIME


async def test_a_job_that_multiplies_is_frozen_and_looked_at_before_it_goes_on_and_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = await begin(Limits(max_seconds=30.0, grace_seconds=1.0, processes=10))

    async def freeze(child: object) -> None:
        assert child is scene.child
        scene.calls.append("freeze")

    async def kill_what_it_started(child: object) -> None:
        assert child is scene.child
        scene.calls.append("kill below")

    monkeypatch.setattr("supervisor.job.execution.freeze", freeze)
    monkeypatch.setattr("supervisor.job.execution.kill_what_it_started", kill_what_it_started)
    scene.headcount.tell(11)
    finished = await scene.finish()
    # The stack is asked for while it is stopped: then that is the first thing that it does.
    assert acts(scene) == ["freeze", "stack", "resume", "kill below", "kill", "sweep", "reap"]
    assert finished.ending.limit is not None
    assert (finished.ending.limit.kind, finished.ending.limit.measured) == (LimitKind.PROCESSES, 11)
    assert scene.calls.index("reports stop") < scene.calls.index("freeze")


async def test_whoever_tells_of_the_loop_is_stopped_before_the_stack_is_taken() -> None:
    scene = await begin()
    scene.execution.stop()
    await scene.finish()
    assert scene.calls.index("reports stop") < scene.calls.index("stack")


async def test_what_the_sweep_and_the_kernel_say_goes_into_the_evidence() -> None:
    scene = await begin()
    scene.sweeper.finds = Swept(killed=3, remaining=1)
    scene.child.cgroup.oom = OutOfMemory(1, 64.0)  # type: ignore[attr-defined]
    finished = await scene.finish(DONE, status=EXIT_0)
    ending = finished.ending
    assert (ending.leftover_processes, ending.unkilled_processes, finished.stuck) == (4, 1, True)
    assert (ending.usage.peak_memory_mb, ending.usage.cpu_seconds) == (33.0, 1.5)
    assert ending.out_of_memory == OutOfMemory(1, 64.0)


async def test_a_sweep_that_can_not_look_delays_no_result_and_keeps_the_job_known_and_its_child_a_zombie(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """So that a later look knows what is this job's."""
    scene = await begin()
    scene.sweeper.finds = OSError("no descriptor left")
    finished = await scene.finish(DONE, status=EXIT_0)
    assert acts(scene) == ["sweep"]
    assert finished.stuck
    assert finished.ending.leftovers_unsearched
    assert finished.verdict.warning == "the worker could not look yet for processes that it left behind"
    assert scene.sweeper.present, "else what is left is nobody's"
    (record,) = records_of(caplog, LeftoversNotSearched)
    assert (record.levelname, facts_of(record)) == ("ERROR", {"pid": scene.child.pid})
    assert record.exc_info, "the reason is in the traceback"


async def test_a_child_that_does_not_die_is_given_up_with_what_the_kernel_knows_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supervisor.lifecycle.job.UNKILLABLE_SECONDS", 0.01)
    scene = await begin(obeys=False, pid=os.getpid())
    scene.execution.stop()
    finished = await scene.finish()
    assert finished.stuck
    assert finished.ending.unkillable
    assert finished.ending.kernel is not None
    assert acts(scene) == ["stack", "kill"]


async def test_a_status_that_is_known_only_after_the_sweep_is_in_the_result() -> None:
    """While a descendant traces the child, the kernel tells nobody else how it has ended."""
    scene = await begin()
    scene.child.reaped = Reaped(33.0, 1.5, ExitStatus(code=7))
    finished = await scene.finish(status=ExitStatus())
    assert finished.ending.exit_status == ExitStatus(code=7)


async def test_a_job_is_known_to_the_sweeps_of_others_until_nothing_of_it_is_left() -> None:
    scene = await begin()
    await until(lambda: scene.sweeper.present, "it is known")
    await scene.finish(DONE, status=EXIT_0)
    assert scene.sweeper.present == []


async def test_what_can_not_be_killed_is_looked_for_until_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.job.clearing._LOOK_AGAIN_SECONDS", 0.001)
    scene = await begin()
    scene.sweeper.finds = Swept(killed=0, remaining=1)
    assert (await scene.finish(DONE, status=EXIT_0)).stuck
    assert scene.sweeper.present, "others would take it for nobody's"
    outlasting = asyncio.ensure_future(
        wait_until_gone(scene.child, scene.sweeper, scene.execution.processes)  # type: ignore[arg-type]
    )
    before = acts(scene).count("sweep")
    await until(lambda: acts(scene).count("sweep") > before + 2, "it is looked for again")
    scene.sweeper.finds = OSError("no descriptor left to look with")
    await asyncio.sleep(0.01)
    assert not outlasting.done()
    scene.sweeper.finds = Swept(killed=1, remaining=0)
    await asyncio.wait_for(outlasting, PATIENCE_SECONDS)
    assert (scene.sweeper.present, acts(scene)[-1]) == ([], "reap")


async def test_who_ends_the_wait_for_what_can_not_be_killed_ends_nobody_else_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker ends before the child does; others wait for that child's end, too."""
    monkeypatch.setattr("supervisor.lifecycle.job.UNKILLABLE_SECONDS", 0.01)
    scene = await begin(obeys=False)
    scene.execution.stop()
    assert (await scene.finish()).stuck
    waiting = asyncio.ensure_future(
        wait_until_gone(scene.child, scene.sweeper, scene.execution.processes)  # type: ignore[arg-type]
    )
    await asyncio.sleep(0)  # it waits now
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not scene.child.exited.done()
    scene.child.end(EXIT_0)
    assert await scene.child.exited == EXIT_0


async def test_the_kernel_is_asked_only_where_no_stack_came() -> None:
    scene = await begin(pid=os.getpid())
    scene.execution.stop()
    assert (await scene.finish()).ending.kernel is None
    scene = await begin(pid=os.getpid(), stack=" ")
    scene.execution.stop()
    finished = await scene.finish()
    assert finished.ending.kernel is not None
    assert finished.ending.kernel.state in ("R", "S")


async def test_of_a_process_that_is_gone_the_kernel_says_nothing() -> None:
    scene = await begin(stack=" ")  # its number is above what the kernel gives out
    scene.execution.stop()
    assert (await scene.finish()).ending.kernel is None


async def test_a_stack_that_was_written_before_the_end_is_evidence_too() -> None:
    """That of a crash, which nobody has asked for."""
    scene = await begin()
    os.write(scene.child.dump, STACK.encode())
    finished = await scene.finish(status=ExitStatus(signal_name="SIGSEGV"))
    assert "block.py" in finished.ending.stack
    assert acts(scene) == ["sweep", "reap"]


async def test_a_child_that_lives_on_without_its_channel_is_killed() -> None:
    scene = await begin()
    scene.child.far.shutdown(2)
    finished = await scene.finish()
    assert finished.ending.channel_closed
    assert acts(scene) == ["stack", "kill", "sweep", "reap"]


async def test_a_bug_in_a_task_of_the_execution_is_raised_and_everything_is_let_go() -> None:
    scene = await begin()
    scene.sweeper.finds = RuntimeError("a bug")
    scene.child.end(EXIT_0)
    with pytest.raises(RuntimeError, match="a bug"):
        await asyncio.wait_for(scene.running, PATIENCE_SECONDS)
    assert ("sampler forgets", scene.child.pid) in scene.calls
    assert ("headcount forgets", scene.child.pid) in scene.calls
    assert "reports stop" in scene.calls
    await scene.close()


async def test_nothing_of_an_execution_goes_on_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.lifecycle.job.UNKILLABLE_SECONDS", 0.01)
    scene = await begin(obeys=False, stack="")  # which is waited for in vain
    timers, tasks = scene.execution._timers, scene.execution._tasks
    scene.execution.stop()
    await scene.finish()
    assert all(handle.cancelled() for handle in timers._handles.values())
    await until(lambda: not tasks, "its tasks have ended")
    assert scene.calls[-4:] == [
        "reports stop",
        ("sampler forgets", scene.child.pid),
        ("headcount forgets", scene.child.pid),
        ("CPU watch forgets", scene.child.pid),
    ]


async def test_a_killed_child_is_stuck_only_when_it_does_not_wait_for_a_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = iter([True, True, False])
    monkeypatch.setattr("supervisor.lifecycle.job.UNKILLABLE_SECONDS", 0.01)
    monkeypatch.setattr("supervisor.job.execution.is_runnable", lambda _: next(looks))
    scene = await begin(obeys=False)
    scene.execution.stop()
    finished = await scene.finish()
    assert finished.stuck
    assert next(looks, None) is None  # it was asked all three times
    scene.child.end(SIGKILL)
    await scene.close()
