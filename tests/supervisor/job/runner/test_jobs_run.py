"""A job from its child to its verdict: what the child gets, and what comes back."""

import asyncio
import gc
import json
import logging
import os
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from jobs_support import SETTINGS, job, scene

from jobrunner.protocol.messages import Outcome
from supervisor.job.job import backstop
from supervisor.verdict import Cause
from tests.patience import until
from tests.programs.fuzz.fakes import NoGroups


class KeptGroups(NoGroups):
    """Keeps whom to call, as the groups of a real child do."""

    on_many: Callable[[int], None] | None = None

    def watch(self, most: int | None, on_many: Callable[[int], None]) -> None:
        self.on_many = on_many

    def tell_nobody(self) -> None:
        self.on_many = None


async def test_the_order_says_all_that_the_child_needs_to_know(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        changes = {
            "log_level": "debug",
            "log_levels": ["acme=debug"],
            "redact_keys": ["pin"],
            "max_result_mb": 3,
            "stall_seconds": 7.0,
            "blocking_seconds": 0.25,
        }
        stage.runner.settings = SETTINGS.model_copy(update=changes)
        asked = job(
            job_type="rollback", run_on="device", entity_id=7, step_label="step",
            parameters={"a": 1}, context={"devices": []},
        )  # fmt: skip
        running = stage.begin(asked)
        child = await stage.child()
        order, payload = await stage.order(child)
        assert json.loads(payload) == {"parameters": {"a": 1}, "context": {"devices": []}}
        assert order.model_dump(exclude={"type", "job_directory"}) == {
            "job_id": "job",
            "block_id": asked.block_id,
            "job_type": "rollback",
            "run_on": "device",
            "entity_id": 7,
            "step_label": "step",
            "log_level": logging.DEBUG,
            "log_levels": {"acme": 10},
            "redact_keys": ("pin",),
            "result_cap_bytes": 3 * 2**20,
            "host_keys": "accept-new",
            "sessions_per_device": 4,
            "stall_seconds": 7.0,
            "blocking_seconds": 0.25,
        }
        assert os.path.isdir(order.job_directory)
        await stage.end(child)
        await running
        await until(lambda: not os.path.exists(order.job_directory), "its directory is removed")


async def test_a_loop_that_nobody_watches_is_not_asked_to_tick(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.runner.settings = SETTINGS.model_copy(update={"stall_seconds": 0.0, "blocking_seconds": 0.0})
        running = stage.begin(job())
        child = await stage.child()
        order, _ = await stage.order(child)
        assert (order.stall_seconds, order.blocking_seconds) == (None, None)
        await stage.end(child)
        await running


async def test_what_the_block_returned_and_its_verdict_come_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        running = stage.begin(job())
        child = await stage.child()
        await stage.order(child)
        body, acquires = b'{"data": {"x": 1}}', b'[{"key": "k"}]'
        await stage.end(child, Outcome(success=True, message="m", body_bytes=len(body)), body + acquires)
        concluded = await running
        assert (concluded.body, concluded.acquires, concluded.stuck) == (body, acquires, False)
        assert (concluded.verdict.success, concluded.verdict.cause) == (True, Cause.COMPLETED)


async def test_running_jobs_are_ended_when_the_worker_can_wait_no_longer(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        running = [stage.begin(job(job_id=name)) for name in "ab"]
        for number in (1, 2):
            await stage.order(await stage.child(number))
        stage.runner.stop_all()
        verdicts = [(await task).verdict for task in running]
        assert [(each.cause, each.retryable) for each in verdicts] == [(Cause.WORKER_STOPPING, True)] * 2


async def test_a_job_that_is_cancelled_is_ended_and_its_neighbour_goes_on(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        running = [stage.begin(job(job_id=name)) for name in "ab"]
        children = [await stage.child(number) for number in (1, 2)]
        for child in children:
            await stage.order(child)
        stage.runner.cancel("a")
        assert (await running[0]).verdict.cause is Cause.CANCELLED
        await stage.end(children[1])
        assert (await running[1]).verdict.cause is Cause.COMPLETED


async def test_the_kernel_s_limits_are_those_of_the_job(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.runner.settings = SETTINGS.model_copy(
            update={"max_job_memory_mb": 64, "max_job_processes": 100}
        )
        await stage.run(job())
        assert stage.launcher.children[0].cgroup.limits == (64.0, 125)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("processes", "tasks"), [(None, None), (0, 16), (10, 26), (64, 80), (68, 85), (512, 640)]
)
def test_the_kernel_s_limit_of_processes_is_a_quarter_and_at_least_sixteen_above(
    processes: int | None, tasks: int | None
) -> None:
    assert backstop(processes) == tasks


async def test_another_spare_is_started_after_a_job(tmp_path: Path) -> None:
    async with scene(tmp_path, spares=1) as stage:
        child = await stage.child()
        running = stage.begin(job())
        await stage.order(child)
        assert stage.calls.count("spawn_child") == 1
        await stage.end(child)
        await running
        await until(lambda: len(stage.launcher.children) == 2, "the next spare is born")


async def test_after_a_renewal_spares_of_the_old_code_are_given_up_and_the_new_limits_hold(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, spares=1) as stage:
        await stage.child()
        await until(lambda: stage.runner._spares._ready, "the spare is ready")
        stage.runner.renew(SETTINGS.model_copy(update={"max_job_seconds": 5.0}))
        assert "give up" in stage.calls
        await stage.child(2)
        assert stage.runner.settings.max_job_seconds == 5.0


async def test_jobs_run_beside_each_other(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        running = [stage.begin(job(job_id=name)) for name in "ab"]
        for number in (2, 1):
            await stage.order(await stage.child(number))
            await stage.end(await stage.child(number))
        assert all([(await task).verdict.success for task in asyncio.as_completed(running)])


async def test_what_a_job_came_with_is_freed_at_its_end_without_a_collection(tmp_path: Path) -> None:
    """Else ten megabytes of each job, and the mask made of them, stay until the loop is held for a collection."""
    async with scene(tmp_path) as stage:
        asked = job(context={"devices": []})
        running = stage.begin(asked)
        child = await stage.child()
        child.groups = KeptGroups()  # type: ignore[assignment]  # what is used of it
        await stage.order(child)
        execution = weakref.ref(stage.runner._running[asked.job_id])
        gc.collect()
        gc.disable()
        try:
            await stage.end(child)
            await running
            del running
            await until(lambda: execution() is None, "it is freed")
        finally:
            gc.enable()
