"""What happens to an execution is handled in the moment in which it happens, and its failures are those of `run`."""

import asyncio
import time
from typing import Any

import pytest

from supervisor.launcher.sweep import Swept
from supervisor.lifecycle import job as lifecycle
from supervisor.lifecycle.events import ChildExited, JobEvent, StopDemanded
from supervisor.lifecycle.state import JobState, Phase
from supervisor.verdict import Cause, ExitStatus, Limits
from tests.patience import PATIENCE_SECONDS, until
from tests.supervisor.job.execution.execution_support import DONE, SIGKILL, Scene, begin

EXIT_0 = ExitStatus(code=0)


def unexpected() -> list[dict[str, Any]]:
    """Return what the loop is told of from now on: what nobody has caught."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    return told


async def done() -> Scene:
    """Return an execution whose job has returned, and whose child has not ended."""
    scene = await begin()
    await scene.say(DONE)
    await until(lambda: scene.execution._state.phase is Phase.LINGERING, "its outcome has come")
    return scene


def sweeps() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "sweep of a job"]


async def test_where_nothing_is_left_of_a_job_its_child_is_waited_for_when_its_exit_is_seen() -> None:
    scene = await done()
    scene.execution._put(ChildExited(time.monotonic(), EXIT_0))
    assert scene.calls[-2:] == [("sweep", scene.child.groups, scene.child.cgroup), "reap"]
    assert scene.execution._state.phase is Phase.DRAINING
    assert sweeps() == []
    finished = await scene.finish(status=EXIT_0)
    assert (finished.verdict.cause, finished.stuck) == (Cause.COMPLETED, False)


@pytest.mark.parametrize("found", [Swept(killed=1, remaining=0), OSError("no descriptor left")])
async def test_what_is_left_of_a_job_or_can_not_be_looked_for_takes_a_sweep_of_its_own(
    found: Swept | Exception,
) -> None:
    scene = await done()
    scene.sweeper.finds = found
    scene.execution._put(ChildExited(time.monotonic(), EXIT_0))
    assert "reap" not in scene.calls
    assert sweeps() == ["sweep of a job"]
    finished = await scene.finish(status=EXIT_0)
    assert finished.ending.leftover_processes == (1 if isinstance(found, Swept) else 0)
    assert finished.ending.leftovers_unsearched == isinstance(found, OSError)


async def test_a_job_that_is_told_to_end_before_it_has_its_order_ends_when_it_has_it() -> None:
    scene = Scene(Limits(max_seconds=30.0, grace_seconds=1.0))
    scene.execution.stop()
    assert scene.execution._state == JobState(scene.execution._state.limits), "nothing has begun"
    await scene.begin()
    finished = await scene.finish()
    assert finished.verdict.cause is Cause.WORKER_STOPPING


async def test_a_failure_in_the_handling_is_raised_by_run_and_by_nobody_who_tells_of_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, scene = unexpected(), await begin()
    step = lifecycle.step

    def failing(state: JobState, event: JobEvent) -> lifecycle.Step:
        assert not isinstance(event, StopDemanded), "a bug"
        return step(state, event)

    monkeypatch.setattr("supervisor.job.execution.step", failing)
    scene.execution.stop()
    scene.execution.cancel()  # of no use any more
    with pytest.raises(AssertionError, match="a bug"):
        await asyncio.wait_for(scene.running, PATIENCE_SECONDS)
    assert ("sampler forgets", scene.child.pid) in scene.calls
    assert scene.sweeper.present == []
    scene.child.end(EXIT_0)
    await scene.close()
    assert told == []


@pytest.mark.parametrize("turns", range(12))
async def test_an_execution_that_is_cancelled_at_any_moment_lets_everything_go(turns: int) -> None:
    told, scene = unexpected(), await begin()
    tasks, timers = scene.execution._tasks, scene.execution._timers
    scene.child.far.send(DONE.pack(b"{}"))
    scene.child.end(EXIT_0)
    for _ in range(turns):
        await asyncio.sleep(0)
    scene.running.cancel()
    scene.execution.stop()  # as whoever does not know of it yet
    await asyncio.wait((scene.running,), timeout=PATIENCE_SECONDS)
    scene.execution.cancel()
    scene.sample(1.0)
    assert scene.running.done()
    assert "reports stop" in scene.calls
    assert ("sampler forgets", scene.child.pid) in scene.calls
    assert ("CPU watch forgets", scene.child.pid) in scene.calls
    assert all(handle.cancelled() for handle in timers._handles.values())
    await until(lambda: not tasks, "its tasks have ended")
    await scene.close()
    assert told == []


async def test_what_happens_after_the_end_changes_nothing_and_nobody_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supervisor.lifecycle.job.UNKILLABLE_SECONDS", 0.01)
    told, scene = unexpected(), await begin(obeys=False)
    scene.execution.stop()
    finished = await scene.finish()
    assert finished.stuck
    scene.execution.stop()
    scene.execution.cancel()
    scene.child.end(SIGKILL)
    await scene.child.exited
    await asyncio.sleep(0)  # who waits for its exit is called now
    assert scene.execution._state.phase is Phase.ENDED
    assert "reap" not in scene.calls
    assert told == []
